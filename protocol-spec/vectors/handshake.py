#!/usr/bin/env python3
"""A second, straightforward implementation of chapters 02, 03 and 08, which wrote handshake.json.

It shares nothing with the C# code but the text of the chapters. Run it to print the file again:
    python3 handshake.py > handshake.json      (needs the package `cryptography`)
"""
import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305


def seeded(label):
    return hashlib.sha256(b"p2pmigrate test vector " + label.encode()).digest()


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def dh(private, other):
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(other))


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(key, info, length):
    out, block, count = b"", b"", 1
    while len(out) < length:
        block = mac(key, block + info + bytes([count]))
        out, count = out + block, count + 1
    return out[:length]


def hkdf(salt, secret, info, length):
    return expand(mac(salt or bytes(32), secret), info, length)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def base32(data):
    import base64
    return base64.b32encode(data).decode().rstrip("=").lower()


def address(ip, port):
    return bytes([4]) + bytes(map(int, ip.split("."))) + struct.pack("<H", port)


def varint(value):
    for length, limit in ((1, 1 << 6), (2, 1 << 14), (4, 1 << 30)):
        if value < limit:
            return (value | (length.bit_length() - 1) << (8 * length - 2)).to_bytes(length, "big")
    return (value | 3 << 62).to_bytes(8, "big")


class Symmetric:
    def __init__(self, prologue, responder):
        self.h = b"Noise_IKpsk2_25519_ChaChaPoly_SHA256"
        self.h = hashlib.sha256(self.h).digest()
        self.ck, self.k, self.n = self.h, None, 0
        self.mix_hash(prologue)
        self.mix_hash(responder)

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, data):
        out = hkdf(self.ck, data, b"", 64)
        self.ck, self.k, self.n = out[:32], out[32:], 0

    def mix_key_and_hash(self, data):
        out = hkdf(self.ck, data, b"", 96)
        self.ck, self.k, self.n = out[:32], out[64:], 0
        self.mix_hash(out[32:64])

    def seal(self, plaintext):
        sealed = ChaCha20Poly1305(self.k).encrypt(struct.pack("<4xQ", self.n), plaintext, self.h)
        self.n += 1
        self.mix_hash(sealed)
        return sealed


def field(kind, value):
    return struct.pack("<BH", kind, len(value)) + value


def pad(fields):
    return fields + bytes(640 - len(fields))


def main():
    responder, initiator = seeded("responder static"), seeded("initiator static")
    e1, e2 = seeded("initiator ephemeral"), seeded("responder ephemeral")
    secret, expiry, timestamp = seeded("ticket secret")[:16], 1_800_003_600, 1_800_000_000_000_000_000
    initiator_id, responder_id = seeded("initiator id")[:8], seeded("responder id")[:8]
    limits = [(1, 8000), (2, 25)]  # idle timeout, ack delay; then window, class window and streams of three classes
    limits += [(0x10 + 4 * i + j, value) for i, row in enumerate(((1 << 18, 1 << 20, 64), (1 << 20, 1 << 23, 256), (1 << 22, 1 << 24, 64)))
               for j, value in enumerate(row)]
    parameters = b"".join(varint(number) + varint(value) for number, value in limits)
    rs, is_ = public(responder), public(initiator)

    # Chapter 02.
    body = rs + secret + struct.pack("<Q", expiry) + b"\x17rendezvous.example:3478" + b"\x01" + address("192.0.2.1", 4000)
    ticket = "p2pm1" + base32(body + struct.pack("<I", crc32c(body)))
    ticket_id = hkdf(b"", secret, b"p2pmigrate 1 ticket id", 16)
    psk = hkdf(b"", secret, b"p2pmigrate 1 ticket psk", 32)

    # Chapter 03, message 1.
    header = b"\x51\0\0\0" + initiator_id
    noise = Symmetric(b"p2pmigrate 1 handshake " + header, rs)
    noise.mix_hash(public(e1))
    noise.mix_key(public(e1))
    noise.mix_key(dh(e1, rs))
    sealed_static = noise.seal(is_)
    noise.mix_key(dh(initiator, rs))
    payload1 = pad(field(1, b"\x01\0") + field(2, struct.pack("<Q", timestamp)) + field(3, ticket_id) + field(4, b"\x02\x03")
                   + field(5, b"\x01" + address("10.0.0.1", 1000)) + field(6, parameters))
    init = header + public(e1) + sealed_static + noise.seal(payload1)
    init += mac(hashlib.sha256(b"p2pmigrate 1 mac1 " + rs).digest(), init)[:16]
    cookie = seeded("cookie")[:16]
    with_cookie = init + mac(cookie, init)[:16]
    init += bytes(16)

    # Chapter 03, message 2.
    header2 = b"\x52\0\0\0" + initiator_id
    noise.mix_hash(public(e2))
    noise.mix_key(public(e2))
    noise.mix_key(dh(e2, public(e1)))
    noise.mix_key(dh(e2, is_))
    noise.mix_key_and_hash(psk)
    payload2 = pad(field(1, b"\x01\0") + field(4, b"\x02") + field(5, b"\x02" + address("10.0.0.2", 2000)) + field(6, parameters)
                   + field(7, responder_id) + field(8, b"\x01"))
    response = header2 + public(e2) + noise.seal(payload2)
    response += mac(hashlib.sha256(b"p2pmigrate 1 mac1 " + is_).digest(), response)[:16]
    split = hkdf(noise.ck, b"", b"", 64)

    # Chapter 03, section 7: packets of the initiator in epochs 0 and 1, AES-256-GCM and ChaCha20-Poly1305.
    packets = []
    for suite, aead in ((2, AESGCM), (3, ChaCha20Poly1305)):
        epoch_secret = split[:32]
        for epoch in (0, 1):
            key = expand(epoch_secret, b"p2pmigrate 1 key " + bytes([suite]), 32)
            base = expand(epoch_secret, b"p2pmigrate 1 nonce " + bytes([suite]), 12)
            nonce = bytes(a ^ b for a, b in zip(base, struct.pack("<IQ", 5, 0x1_0000_0007)))
            packet_header = bytes([0x40 | 8 * epoch, 5, 0, 0]) + struct.pack("<I", 7) + responder_id
            packets.append({"suite": suite, "epoch": epoch, "path": 5, "number": 0x1_0000_0007, "header": packet_header.hex(),
                            "plaintext": b"hello".hex(), "ciphertext": aead(key).encrypt(nonce, b"hello", packet_header).hex()})
            epoch_secret = expand(epoch_secret, b"p2pmigrate 1 next epoch", 32)

    # Chapter 08, registration.
    challenge, transaction = seeded("challenge key"), seeded("transaction")[:8]
    registration = hkdf(b"", dh(responder, public(challenge)), b"p2pmigrate 1 registration " + rs + public(challenge), 32)
    register = b"\x60\x03\0\0" + transaction + cookie + public(challenge) + rs
    register += bytes(112 - len(register))
    register += mac(registration, register)[:16]

    names = dict(responderPrivate=responder, initiatorPrivate=initiator, initiatorEphemeral=e1, responderEphemeral=e2,
                 responderPublic=rs, initiatorPublic=is_, ticketSecret=secret, ticketId=ticket_id, psk=psk,
                 responderPeerId=hashlib.sha256(rs).digest(), initiatorConnectionId=initiator_id, responderConnectionId=responder_id,
                 parameters=parameters, cookie=cookie, init=init, initWithCookie=with_cookie, response=response, transcript=noise.h,
                 initiatorSecret=split[:32], responderSecret=split[32:], challengePrivate=challenge, transaction=transaction,
                 register=register)
    print(json.dumps({"ticket": ticket, "expiry": expiry, "timestamp": timestamp,
                      **{name: value.hex() for name, value in names.items()}, "packets": packets}, indent=2))


if __name__ == "__main__":
    main()
