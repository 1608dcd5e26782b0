"""The workload of the checkpoint tests: a counter that lives in memory only.

What it does can be watched from outside in three files of its root, or of the directory AT: /counter (the count, a mapped u64), /log (a line per
thousand, written at the file's offset) and /broken (made when a pipe lost or doubled a value).
Arguments: megabytes of ballast, then names of extra things to hold (see below).
"""
import ctypes
import fcntl
import mmap
import os
import queue
import select
import socket
import struct
import sys
import threading
import time

ballast = bytearray(os.urandom(1 << 20) * int(sys.argv[1]))
extras = sys.argv[2:]
AT = os.environ.get("AT", "")
held = []

if "io_uring" in extras:
    held.append(ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(120)))
if "ghost" in extras:
    ghost = open(AT + "/ghost", "w+b", buffering=0)
    ghost.write(b"g" * (3 << 20))
    os.unlink(AT + "/ghost")
    held.append(ghost)
if "link" in extras:
    link = open(AT + "/first-name", "w+b", buffering=0)
    link.write(b"linked")
    os.link(AT + "/first-name", AT + "/second-name")
    os.unlink(AT + "/first-name")
    held.append(link)
if "udp" in extras:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raise_loopback:  # needs CAP_NET_ADMIN
        fcntl.ioctl(raise_loopback, 0x8914, struct.pack("16sh14x", b"lo", 0x49))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 5555))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", 5555))


def sleeper():
    while True:
        time.sleep(0.01)


def reader(descriptor):
    expected = None
    while True:
        value = struct.unpack("<Q", os.read(descriptor, 8))[0]
        if expected is not None and value != expected:
            open(AT + "/broken", "w").write(f"{value} for {expected}\n")
        expected = value + 1
        while writes.qsize() == 0:  # leaves values in the pipe
            time.sleep(0.001)
        writes.get()


writes = queue.Queue()
read_end, write_end = os.pipe()
for target, arguments in ((sleeper, ()), (sleeper, ()), (reader, (read_end,))):
    threading.Thread(target=target, args=arguments, daemon=True).start()

shared = open(AT + "/counter", "w+b")
shared.truncate(4096)
window = mmap.mmap(shared.fileno(), 4096)
log = open(("/volume" if "volume" in extras else AT) + "/log", "w+b", buffering=0)
probe = ballast[len(ballast) // 2]
count = 0
while True:
    count += 1
    window[0:8] = struct.pack("<Q", count)
    if count % 100 == 0:
        os.write(write_end, struct.pack("<Q", count // 100))
        if count > 1000:
            writes.put(None)
        if ballast[len(ballast) // 2] != probe:
            open(AT + "/broken", "w").write("ballast\n")
        if "udp" in extras:
            client.send(b"x")
            while not select.select([server], [], [], 0.1)[0]:
                client.send(b"x")  # the one before was on its way when the container was frozen: CRIU leaves behind what a UDP socket has received
            server.recv(10)
        time.sleep(0.0005)
    if count % 1000 == 0:
        log.write(b"%d\n" % count)
