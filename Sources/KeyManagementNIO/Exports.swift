// The modules whose types stand in this one's signatures, so that one import brings what the API mentions.
#if NIO
@_exported public import InTransit
@_exported public import KeyManagement
@_exported public import NIOCore
#endif
