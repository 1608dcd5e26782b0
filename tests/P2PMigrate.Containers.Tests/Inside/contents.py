"""What containers hold that a move must bring along, one function each.

A function makes its thing and yields; when it goes on, its thing must be as it was, and it makes it anew for the next time. Arguments name what to hold instead, that cannot move;
without=FUNCTION leaves one out.
Whoever asks writes a number to /ask; the answer is in /answer: the number, then a line for each content, its name and what is wrong with it.
"""
import ctypes
import errno
import fcntl
import mmap
import os
import pty
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time

AT = os.environ.get("AT", "")  # where paths begin
LOCAL = os.environ.get("LOCAL", AT)  # and those of what the kernel keeps with a file, where AT is of another machine too
sys.stderr = open(AT + "/said", "w", buffering=1)
libc = ctypes.CDLL(None, use_errno=True)
contents = []


without = [argument[len("without="):] for argument in sys.argv[1:] if argument.startswith("without=")]
holding = [argument for argument in sys.argv[1:] if not argument.startswith("without=")]


def content(name):
    def add(function):
        if function.__name__ not in without:
            contents.append((name, function()))
        return function
    return add


def same(seen, wanted):
    assert seen == wanted, f"{seen!r} instead of {wanted!r}"


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def fork(run):
    """A child that runs a function and does nothing else."""
    child = os.fork()
    if child == 0:
        try:
            run()
        finally:
            os._exit(9)
    return child


def goes_on(look):
    before = look()
    for _ in range(200):
        if look() > before:
            return
        time.sleep(0.02)
    raise AssertionError(f"stands at {before}")


@content("file on a tmpfs")
def tmpfs():
    while True:
        with open("/dev/kept", "w") as file:
            file.write("kept")
        yield
        with open("/dev/kept") as file:
            same(file.read(), "kept")


@content("open file whose name was removed")
def removed():
    file = open(AT + "/removed", "w+b", buffering=0)
    os.unlink(AT + "/removed")
    while True:
        file.write(b"kept")
        yield
        same(os.pread(file.fileno(), 4, file.tell() - 4), b"kept")


@content("open file, one of whose names was removed")
def one_name():
    file = open(AT + "/one-name", "w+b", buffering=0)
    file.write(b"kept")
    os.link(AT + "/one-name", AT + "/other-name")
    os.unlink(AT + "/one-name")
    while True:
        yield
        same((os.fstat(file.fileno()).st_ino, os.fstat(file.fileno()).st_nlink), (os.stat(AT + "/other-name").st_ino, 1))


@content("program whose file was replaced")
def replaced():
    with open("/usr/bin/sleep", "rb") as file, open(AT + "/replaced", "wb") as copy:
        copy.write(file.read())
    os.chmod(AT + "/replaced", 0o755)
    child = fork(lambda: os.execv(AT + "/replaced", ["sleep", "100000"]))
    time.sleep(0.2)
    os.unlink(AT + "/replaced")
    while True:
        yield
        assert os.readlink(f"/proc/{child}/exe").startswith(AT + "/replaced"), os.readlink(f"/proc/{child}/exe")


@content("mapped file")
def mapped():
    with open(AT + "/mapped", "w+b") as file:
        file.truncate(1 << 20)
        window = mmap.mmap(file.fileno(), 1 << 20)
    number = 0
    while True:
        number += 1
        window[4096:4100] = struct.pack("<I", number)
        yield
        same(struct.unpack("<I", window[4096:4100])[0], number)


@content("flock and POSIX locks")
def locks():
    flocked, locked = open(LOCAL + "/flocked", "w"), open(LOCAL + "/locked", "w")
    fcntl.flock(flocked, fcntl.LOCK_EX)
    fcntl.lockf(locked, fcntl.LOCK_EX)

    def try_both():
        for attempt, path in ((fcntl.flock, LOCAL + "/flocked"), (fcntl.lockf, LOCAL + "/locked")):
            try:
                attempt(open(path, "w"), fcntl.LOCK_EX | fcntl.LOCK_NB)
                os._exit(1)
            except BlockingIOError:
                pass
        os._exit(0)

    while True:
        yield
        same(os.waitpid(fork(try_both), 0)[1], 0)


@content("inotify")
def inotify():
    os.makedirs(AT + "/watched")
    descriptor = check(libc.inotify_init1(os.O_NONBLOCK))
    check(libc.inotify_add_watch(descriptor, (AT + "/watched").encode(), 0x100))
    number = 0
    while True:
        yield
        number += 1
        open(f"{AT}/watched/{number}", "w").close()
        assert str(number).encode() in os.read(descriptor, 4096)


@content("pipe and FIFO with bytes in them")
def pipes():
    read, write = os.pipe()
    os.mkfifo(LOCAL + "/fifo")
    fifo = os.open(LOCAL + "/fifo", os.O_RDWR)
    while True:
        os.write(write, b"in the pipe")
        os.write(fifo, b"in the FIFO")
        yield
        same(os.read(read, 100) + os.read(fifo, 100), b"in the pipein the FIFO")


@content("Unix sockets with bytes in them")
def unix():
    one, other = socket.socketpair()
    server, late = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(AT + "/socket")
    server.listen()
    late.connect(AT + "/socket")
    accepted, _ = server.accept()
    while True:
        one.send(b"stream")
        late.send(b"packet")
        yield
        same(other.recv(100) + accepted.recv(100), b"streampacket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as anew:
            anew.connect(AT + "/socket")
            server.accept()[0].close()


@content("TCP connection on the loopback, bytes under way")
def tcp():
    server = socket.create_server(("127.0.0.1", 7777))
    while int(open("/sys/class/net/lo/flags").read(), 16) & 1 == 0:
        time.sleep(0.02)
    client = socket.create_connection(("127.0.0.1", 7777))
    accepted, _ = server.accept()
    while True:
        client.send(b"request")
        accepted.send(b"answer")
        yield
        accepted.settimeout(5)
        client.settimeout(5)
        same(accepted.recv(100) + client.recv(100), b"requestanswer")


@content("UDP sockets")
def udp():
    server, client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 7778))
    client.connect(("127.0.0.1", 7778))
    server.settimeout(5)
    while True:
        yield
        client.send(b"datagram")
        same(server.recv(100), b"datagram")


@content("eventfd and epoll")
def events():
    event, epoll = os.eventfd(0), select.epoll()
    epoll.register(event, select.EPOLLIN)
    while True:
        os.eventfd_write(event, 5)
        yield
        same((epoll.poll(0), os.eventfd_read(event)), ([(event, select.EPOLLIN)], 5))


@content("pending signal")
def pending():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    while True:
        os.kill(os.getpid(), signal.SIGUSR1)
        yield
        same(signal.sigtimedwait({signal.SIGUSR1}, 0).si_signo, signal.SIGUSR1)


@content("timers (timerfd, interval, POSIX)")
def timers():
    far, near = os.timerfd_create(time.CLOCK_MONOTONIC), os.timerfd_create(time.CLOCK_MONOTONIC)
    os.timerfd_settime(far, initial=10000, interval=7)
    os.timerfd_settime(near, initial=0.05, interval=0.05)
    fired = [0]
    signal.signal(signal.SIGALRM, lambda *_: fired.__setitem__(0, fired[0] + 1))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    event = struct.pack("qii48x", 0, signal.SIGUSR2, 0)
    timer, left = ctypes.c_void_p(), ctypes.create_string_buffer(32)
    check(libc.timer_create(time.CLOCK_MONOTONIC, event, ctypes.byref(timer)))
    check(libc.timer_settime(timer, 0, struct.pack("qqqq", 9, 0, 10000, 0), None))
    while True:
        yield
        remaining, interval = os.timerfd_gettime(far)
        assert 0 < remaining < 10000 and interval == 7, f"{remaining} {interval}"
        goes_on(lambda: fired[0])
        for _ in range(3):  # what it counted while it stood still, and more
            assert select.select([near], [], [], 5)[0], "the periodic timer is not due any more"
            os.read(near, 8)
        time.sleep(0.1)  # it is due, and nobody has read it
        check(libc.timer_gettime(timer, left))
        assert struct.unpack("qqqq", left.raw)[0] == 9 and 0 < struct.unpack("qqqq", left.raw)[2] < 10000


@content("SysV memory, semaphore and messages")
def sysv():
    libc.shmat.restype = ctypes.c_void_p
    key, create = 0x7031, 0o1600
    memory, queue, semaphore = check(libc.shmget(key, 8192, create)), check(libc.msgget(key, create)), check(libc.semget(key, 1, create))
    ctypes.memmove(libc.shmat(memory, None, 0), b"shared", 6)
    check(libc.semctl(semaphore, 0, 16, ctypes.c_int(3)))
    while True:
        check(libc.msgsnd(queue, struct.pack("q4s", 1, b"sent"), 4, 0))
        yield
        same(ctypes.string_at(libc.shmat(check(libc.shmget(key, 8192, 0)), None, 0), 6), b"shared")
        same(check(libc.semctl(semaphore, 0, 12)), 3)
        received = ctypes.create_string_buffer(16)
        same((check(libc.msgrcv(check(libc.msgget(key, 0)), received, 4, 0, 0o4000)), received.raw[8:12]), (4, b"sent"))


@content("memfd")
def memfd():
    descriptor = os.memfd_create("kept", os.MFD_ALLOW_SEALING)
    os.write(descriptor, b"kept" * 5000)
    fcntl.fcntl(descriptor, 1033, 0x0002)  # F_ADD_SEALS, F_SEAL_SHRINK
    while True:
        yield
        same((os.pread(descriptor, 20000, 0), fcntl.fcntl(descriptor, 1034)), (b"kept" * 5000, 0x0002))


@content("memory shared by processes")
def shared():
    memory = mmap.mmap(-1, 4096)

    def count():
        while True:
            memory[0:8] = struct.pack("<Q", struct.unpack("<Q", memory[0:8])[0] + 1)
            time.sleep(0.01)

    fork(count)
    while True:
        yield
        goes_on(lambda: struct.unpack("<Q", memory[0:8])[0])


@content("threads with memory of their own")
def threads():
    local, counts = threading.local(), [0, 0]

    def count(index):
        local.mark = index
        while local.mark == index:
            counts[index] += 1
            time.sleep(0.01)

    for index in range(2):
        threading.Thread(target=count, args=(index,), daemon=True).start()
    while True:
        yield
        goes_on(lambda: counts[0])
        goes_on(lambda: counts[1])


@content("stopped process, zombie, session")
def children():
    stopped = fork(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    leader = fork(lambda: (os.setsid(), time.sleep(100000)))
    while True:
        zombie = fork(lambda: os._exit(7))
        os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
        time.sleep(0.1)
        yield
        with open(f"/proc/{stopped}/stat") as file:
            same(file.read().split()[2], "T")
        same((os.getsid(leader), os.getpgid(leader)), (leader, leader))
        same(os.waitpid(zombie, 0), (zombie, 7 << 8))


@content("limits, priority, umask, directory")
def attributes():
    os.makedirs(AT + "/inside/deep")
    os.chdir(AT + "/inside/deep")
    os.umask(0o027)
    priority = os.nice(5)  # from whatever it was started with
    resource.setrlimit(resource.RLIMIT_CORE, (4096, 8192))
    while True:
        yield
        mask = os.umask(0o027)
        same((os.getcwd(), mask, os.nice(0), resource.getrlimit(resource.RLIMIT_CORE)), (AT + "/inside/deep", 0o027, priority, (4096, 8192)))


@content("seccomp filter")
def seccomp():
    asks, answers = socket.socketpair()

    def filtered():
        # Whoever calls getpriority (140) gets EPERM.
        rules = b"".join(struct.pack("HBBI", *rule) for rule in ((0x20, 0, 0, 0), (0x15, 0, 1, 140), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)))
        buffer = ctypes.create_string_buffer(rules, len(rules))
        check(libc.prctl(38, 1, 0, 0, 0))
        check(libc.prctl(22, 2, struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer)), 0, 0))
        while answers.recv(1):
            try:
                os.getpriority(os.PRIO_PROCESS, 0)
                answers.send(b"allowed")
            except PermissionError:
                answers.send(b"denied")

    fork(filtered)
    asks.settimeout(5)
    while True:
        yield
        asks.send(b"?")
        same(asks.recv(100), b"denied")


@content("shell job in a terminal of the container")
def job():
    child, master = pty.fork()
    if child == 0:
        os.execv("/bin/sh", ["sh", "-c", "n=0; stty -echo 2>/dev/null; while read line; do n=$((n + 1)); echo job $n; done"])
    number = 0
    while True:
        yield
        number += 1
        os.write(master, b"next\n")
        seen = b""
        while f"job {number}".encode() not in seen:
            assert select.select([master], [], [], 5)[0], f"the terminal says {seen!r} and no more"
            seen += os.read(master, 1000)


# What cannot move.
if "io_uring" in holding:
    check(libc.syscall(425, 8, ctypes.create_string_buffer(120)))
if "userfaultfd" in holding:
    check(libc.syscall(323, 1))
for kind, flag in (("user", 0), ("uts", 0x04000000), ("ipc", 0x08000000), ("pid", 0x20000000)):
    if f"{kind}-namespace" in holding:
        fork(lambda: (check(libc.unshare(0x10000000 | flag)), fork(lambda: time.sleep(100000)), time.sleep(100000)))
        time.sleep(0.5)
if "big-removed-file" in holding:
    big = open(AT + "/big", "wb")
    big.truncate(400 << 20)
    os.unlink(AT + "/big")
if "pressure" in holding:
    pressure = open("/proc/pressure/memory", "r+")
if "System-V" in holding:
    next(dict(contents)["SysV memory, semaphore and messages"])
if "file-of-the-machine" in holding:
    kept = open("/dev/shm/kept", "w+b")
if "child" in holding:
    child = fork(lambda: (os.setsid(), time.sleep(100000)))
    with open(AT + "/child", "w") as file:
        file.write(str(child))
if holding:
    open(AT + "/ready", "w").close()
    while True:
        time.sleep(100000)

for name, each in contents:
    print(f"begins with {name}", file=sys.stderr)
    next(each)
open(AT + "/ready", "w").close()
asked = ""
while True:
    try:
        with open(AT + "/ask") as file:
            ask = file.read()
    except FileNotFoundError:
        ask = ""
    if ask == asked:
        time.sleep(0.02)
        continue
    asked, lines = ask, [ask]
    for name, each in contents:
        try:
            print(f"looks at {name}", file=sys.stderr)
            next(each)
            lines.append(f"{name}: right")
        except Exception as wrong:
            lines.append(f"{name}: {type(wrong).__name__} {wrong}")
    with open(AT + "/answer.new", "w") as file:
        file.write("\n".join(lines))
    os.rename(AT + "/answer.new", AT + "/answer")
