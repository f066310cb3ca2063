"""An external key store's proxy, version 1, over HTTPS: signatures checked by botocore, encryption by cryptography.

    xks_proxy.py FOLDER        writes root.pem, and its port into the file `port`
"""
import base64
import datetime
import hashlib
import http.server
import json
import os
import pathlib
import re
import ssl
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ACCESS_KEY, SECRET = "STRONGROOM234567ABCDEF", "0123456789012345678901234567890123456789abc"
PREFIX = "/tenant/kms/xks/v1"
KEYS = {"kid": AESGCM.generate_key(256), "other": AESGCM.generate_key(256),
        "off": AESGCM.generate_key(256)}
METADATA = b"version=1"


def certificates(folder):
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "proxies")])
    now = datetime.datetime.now(datetime.timezone.utc)

    def make(key, subject, *extensions):
        builder = x509.CertificateBuilder(
            name, subject, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(hours=1),
            now + datetime.timedelta(days=1))
        for extension, is_critical in extensions:
            builder = builder.add_extension(extension, is_critical)
        return builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    (folder / "root.pem").write_bytes(make(keys[0], name, (x509.BasicConstraints(True, None), True), (usage, True)))
    leaf = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    (folder / "proxy.pem").write_bytes(
        make(keys[1], leaf, (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False),
             (x509.BasicConstraints(False, None), True))
        + keys[1].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


class Refusal(Exception):
    def __init__(self, status, name):
        self.status, self.name = status, name


def bound(aad):
    return len(aad).to_bytes(2, "big") + aad + bytes([len(METADATA)]) + METADATA


class Proxy(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.check_signature(body)
            self.reply(200, self.perform(json.loads(body)))
        except Refusal as refusal:
            self.reply(refusal.status, {"errorName": refusal.name, "errorMessage": "refused"})

    def check_signature(self, body):
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/kms-xks-proxy/aws4_request, SignedHeaders=([\w;-]+), "
            r"Signature=([0-9a-f]{64})", self.headers["Authorization"] or "")
        if not match or match[1] != ACCESS_KEY:
            raise Refusal(401, "AuthenticationFailedException")
        request = AWSRequest("POST", f"https://{self.headers['Host']}{self.path}", data=body)
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        for name in match[4].split(";"):
            request.headers[name] = self.headers[name]
        auth = SigV4Auth(Credentials(ACCESS_KEY, SECRET), "kms-xks-proxy", match[3])
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        signed = datetime.datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        age = abs((datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - signed).total_seconds())
        if signature != match[5] or age > 300:
            raise Refusal(401, "AuthenticationFailedException")

    def perform(self, request):
        if self.path.startswith("/broken/kms/xks/v1/"):
            return {"what": "nobody understands"}
        if not self.path.startswith(PREFIX + "/"):
            raise Refusal(404, "InvalidUriPathException")
        metadata = request["requestMetadata"]
        assert metadata["kmsOperation"] and metadata["kmsRequestId"]
        rest = self.path[len(PREFIX) + 1:].split("/")
        if rest == ["health"]:
            return {"xksProxyFleetSize": 1, "xksProxyVendor": "p", "xksProxyModel": "p 1", "ekmVendor": "p",
                    "ekmFleetDetails": [{"id": "1", "model": "m", "healthStatus": "DEGRADED"}]}
        _, key, action = rest
        assert metadata["awsPrincipalArn"].startswith("arn:aws:iam::111122223333:"), metadata
        if key not in KEYS:
            raise Refusal(404, "KeyNotFoundException")
        if action == "metadata":
            return {"keySpec": "AES_256", "keyUsage": ["DECRYPT", "ENCRYPT", "WRAP"],
                    "keyStatus": "DISABLED" if key == "off" else "ENABLED"}
        assert metadata["kmsKeyArn"].startswith("arn:aws:kms:us-east-1:111122223333:key/"), metadata
        assert request["encryptionAlgorithm"] == "AES_GCM"
        aad = base64.b64decode(request["additionalAuthenticatedData"])
        cipher = AESGCM(KEYS[key])
        if action == "encrypt":
            plaintext = base64.b64decode(request["plaintext"])
            assert len(plaintext) <= 4300 and len(aad) <= 8192
            vector = os.urandom(16)
            sealed = cipher.encrypt(vector, plaintext, bound(aad))
            ciphertext, tag = sealed[:-16], sealed[-16:]
            assert request["ciphertextDataIntegrityValueAlgorithm"] == "SHA_256"
            integrity = hashlib.sha256(aad + METADATA + vector + ciphertext + tag).digest()
            return {name: base64.b64encode(value).decode() for name, value in {
                "ciphertext": ciphertext, "ciphertextMetadata": METADATA, "initializationVector": vector,
                "authenticationTag": tag, "ciphertextDataIntegrityValue": integrity}.items()}
        assert base64.b64decode(request["ciphertextMetadata"]) == METADATA
        try:
            plaintext = cipher.decrypt(
                base64.b64decode(request["initializationVector"]),
                base64.b64decode(request["ciphertext"]) + base64.b64decode(request["authenticationTag"]), bound(aad))
        except InvalidTag:
            raise Refusal(400, "InvalidCiphertextException")
        return {"plaintext": base64.b64encode(plaintext).decode()}

    def reply(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


folder = pathlib.Path(sys.argv[1])
certificates(folder)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "proxy.pem")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
server.socket = context.wrap_socket(server.socket, server_side=True)
(folder / "port.new").write_text(str(server.server_address[1]))
(folder / "port.new").rename(folder / "port")
server.serve_forever()
