"""Visits the site whose URL is the first argument, trusting the file of the second, and prints a line about each visit."""

import http.client
import ssl
import sys
import urllib.parse
import urllib.request

base, root = sys.argv[1:]
trust = ssl.create_default_context(cafile=root)
server = urllib.parse.urlsplit(base)


def connect(context=trust):
    return http.client.HTTPSConnection(server.hostname, server.port, timeout=20, context=context)


with urllib.request.urlopen(base + "/style.css", context=trust, timeout=20) as answer:
    print("urllib", answer.status, answer.read().decode())

# One connection for several requests, the last with a body of unknown length.
kept = connect()
kept.connect()
issuer = dict(pair[0] for pair in kept.sock.getpeercert()["issuer"])
print("issuer", issuer["commonName"], kept.sock.version())
for _ in range(3):
    kept.request("GET", "/style.css")
    print("kept", len(kept.getresponse().read()))
kept.request("POST", "/upload", body=(bytes(1 << 20) for _ in range(5)), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
print("upload", kept.getresponse().read().decode())

# Events that the server sends one by one, each when the one before has arrived.
events = connect()
events.request("GET", "/events", headers={"Accept": "text/event-stream"})
stream = events.getresponse()
for _ in range(3):
    print("event", stream.readline().decode().strip())
    stream.readline()
    kept.request("POST", "/heard")
    kept.getresponse().read()
print("end", stream.read())

for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    context = ssl.create_default_context(cafile=root)
    context.minimum_version = context.maximum_version = version
    one = connect(context)
    one.request("GET", "/trailers")
    answer = one.getresponse()
    print(one.sock.version(), answer.read().decode())
