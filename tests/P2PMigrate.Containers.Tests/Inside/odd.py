# Holds memory of the kinds that dumps treat differently, in two processes, and then does nothing: /ready says that it is all there. It stays on one CPU: see pages.py.
import ctypes, mmap, os, time

PAGE = 4096
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
kept = []


def fill(memory, mark, pages):
    for page in pages:
        memory[page * PAGE:(page + 1) * PAGE] = (b"%s %d." % (mark, page)).ljust(PAGE, mark[:1])


def anonymous(mark, count, pages=None, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS):
    memory = mmap.mmap(-1, count * PAGE, flags=flags)
    fill(memory, mark, range(count) if pages is None else pages)
    kept.append(memory)
    return memory, ctypes.addressof(ctypes.c_char.from_buffer(memory))


def check(result):
    if result != 0:
        raise OSError(ctypes.get_errno())


anonymous(b"plain", 300)
anonymous(b"every second", 3000, range(0, 3000, 2))
anonymous(b"shared", 40, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
anonymous(b"huge", 1024)[0].madvise(mmap.MADV_HUGEPAGE)
memory, _ = anonymous(b"zeros", 20)
memory[5 * PAGE:9 * PAGE] = bytes(4 * PAGE)
memory, _ = anonymous(b"dropped", 20)
memory.madvise(mmap.MADV_DONTNEED, 4 * PAGE, 3 * PAGE)
memory = mmap.mmap(-1, 20 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
kept.append((memory, [memory[page * PAGE] for page in range(20)]))  # the kernel's page of zeros
for advice in ("MADV_DONTFORK", "MADV_WIPEONFORK", "MADV_DONTDUMP", "MADV_MERGEABLE"):
    anonymous(advice.encode(), 30)[0].madvise(getattr(mmap, advice, 18))
_, address = anonymous(b"unreadable", 30)
check(libc.mprotect(address + 7 * PAGE, 11 * PAGE, 0))
_, address = anonymous(b"read-only", 30)
check(libc.mprotect(address, 30 * PAGE, 1))
_, address = anonymous(b"executable", 30)
check(libc.mprotect(address, 30 * PAGE, 5))
_, address = anonymous(b"locked", 4)
libc.mlock(address, 4 * PAGE)
with open("/mapped", "wb") as file:
    file.write(b"m" * 30 * PAGE)
with open("/mapped", "r+b") as file:
    mapped = mmap.mmap(file.fileno(), 30 * PAGE, flags=mmap.MAP_PRIVATE)
    fill(mapped, b"copied", range(3, 20))
    kept.append(mapped)
    kept.append(mmap.mmap(file.fileno(), 30 * PAGE))
both, _ = anonymous(b"of both", 200)
if os.fork() == 0:
    fill(both, b"child's", range(50, 90))
    anonymous(b"child's alone", 100)
    open("/ready", "w").close()
while True:
    time.sleep(1000)
