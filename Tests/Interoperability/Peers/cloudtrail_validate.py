"""`aws cloudtrail validate-logs` over a folder that CloudTrailArchive has written, by way of a small S3 and CloudTrail.

    cloudtrail_validate.py FOLDER BUCKET TRAIL-ARN PUBLIC-KEY FINGERPRINT

Then the same with a log edited, taken away and exchanged, and a digest edited, taken away and exchanged.
"""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import urllib.parse

folder, bucket, trail, public_key, fingerprint = sys.argv[1:6]
folder = pathlib.Path(folder)
account, region = trail.split(":")[4], trail.split(":")[3]


class Endpoint(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, kind="application/xml", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        key = urllib.parse.unquote(url.path).removeprefix(f"/{bucket}").lstrip("/")
        if "location" in query:
            return self.answer(200, b"<LocationConstraint/>")
        if not key:
            keys = sorted(str(f.relative_to(folder)) for f in folder.rglob("*.gz"))
            found = [k for k in keys if k.startswith(query.get("prefix", "")) and k > query.get("marker", "")]
            items = "".join(f"<Contents><Key>{k}</Key></Contents>" for k in found)
            return self.answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>".encode())
        file = folder / key
        if not file.is_file():
            return self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        beside = json.loads((folder / (key + ".metadata")).read_text())
        self.answer(200, file.read_bytes(), "application/octet-stream", **{f"x-amz-meta-{n}": v for n, v in beside.items()})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        key = {"Value": public_key, "Fingerprint": fingerprint, "ValidityStartTime": 0, "ValidityEndTime": 9999999999}
        self.answer(200, json.dumps({"PublicKeyList": [key]}).encode(), "application/x-amz-json-1.1")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
environment = {**os.environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_S3": address,
               "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"}


def validate():
    result = subprocess.run(
        ["aws", "--endpoint-url", address, "--region", region, "cloudtrail", "validate-logs", "--trail-arn", trail,
         "--start-time", "2026-01-01T00:00:00Z", "--end-time", "2028-01-01T00:00:00Z", "--s3-bucket", bucket, "--verbose"],
        env=environment, capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def expect(status, *words):
    code, text = validate()
    assert code == status, text
    for word in words:
        assert word in text, (word, text)


logs = sorted(f for f in folder.rglob("*.gz") if "-Digest" not in f.name)
digests = sorted(f for f in folder.rglob("*.gz") if "-Digest" in f.name)
assert len(logs) >= 2 and len(digests) >= 3
expect(0, f"{len(digests)}/{len(digests)} digest files valid", f"{len(logs)}/{len(logs)} log files valid")


def spoiled(change, *words):
    kept = pathlib.Path(str(folder) + ".kept")
    shutil.copytree(folder, kept)
    change()
    expect(1, *words)
    shutil.rmtree(folder)
    kept.rename(folder)


def edit(file):
    content = bytearray(file.read_bytes())
    place = content.index(b"eventTime") if b"eventTime" in content else content.index(b"digestEndTime")
    content[place + 1] ^= 1
    file.write_bytes(content)


def exchange(one, two):
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    for end in (".metadata",):
        first, second = (pathlib.Path(str(f) + end).read_text() for f in (one, two))
        pathlib.Path(str(one) + end).write_text(second)
        pathlib.Path(str(two) + end).write_text(first)


spoiled(lambda: edit(logs[0]), f"1/{len(logs)} log files INVALID")
spoiled(lambda: logs[0].unlink(), "INVALID: not found", f"1/{len(logs)} log files INVALID")
spoiled(lambda: exchange(logs[0], logs[1]), f"2/{len(logs)} log files INVALID", "hash value doesn't match")
spoiled(lambda: edit(digests[1]), "digest files INVALID")
spoiled(lambda: digests[1].unlink(), "INVALID: not found")
spoiled(lambda: exchange(digests[0], digests[1]), "has been moved from its original location")
print("validate-logs accepts the archive, and reports what was edited, missing and exchanged")
