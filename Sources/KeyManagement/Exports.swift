// The modules whose types stand in this one's signatures, so that one import brings what the API mentions.
@_exported public import AWSSignature
@_exported public import AccessPolicy
@_exported public import Auditing
@_exported public import Cryptography
@_exported public import PKIX
@_exported public import RecordStorage
