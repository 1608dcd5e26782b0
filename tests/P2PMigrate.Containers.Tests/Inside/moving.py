# Two processes that share what they had before the fork, and a file in memory. Each goes on rewriting, clearing, moving, unmapping and mapping anew what it has; a mapping of 64 GiB has
# a page here and there. Both know what everything must be: /ready says that it began, /check asks, /checked answers. One CPU, for the reason that pages.py gives.
import ctypes, os, random, sys, time

PAGE, BLOCK, BLOCKS, HUGE = 4096, 1 << 20, 48, 64 << 30
PROT, PRIVATE, SHARED, NORESERVE, MAYMOVE = 3, 0x22, 0x01, 0x4000, 1
libc = ctypes.CDLL(None, use_errno=True)
for name in ("mmap", "mremap"):
    getattr(libc, name).restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
rate = int(sys.argv[1])


def map(length, flags=PRIVATE, fd=-1):
    address = libc.mmap(None, length, PROT, flags, fd, 0)
    assert address not in (None, ctypes.c_void_p(-1).value), ctypes.get_errno()
    return address


class Block:
    """What must be where: the seed of each page, or 0 for zeros. Only every eighth page is random, the others repeat one of them."""

    def __init__(self, address, pages, owned=True):
        self.address, self.seeds, self.owned = address, [0] * pages, owned

    def put(self, page, seed):
        self.seeds[page] = seed
        ctypes.memmove(self.address + page * PAGE, content(seed), PAGE)

    def wrong(self):
        return sum(ctypes.string_at(self.address + page * PAGE, PAGE) != content(seed) for page, seed in enumerate(self.seeds))


def content(seed):
    return random.Random(seed).randbytes(PAGE) if seed else bytes(PAGE)


def filled(choice):
    block = Block(map(BLOCK), BLOCK // PAGE)
    for page in range(BLOCK // PAGE):
        block.put(page, choice.randrange(1, 1 << 40) if page % 8 else choice.randrange(1, 50))
    return block


def step(choice, blocks, half, lone):
    place = choice.randrange(len(blocks))
    block = half if choice.random() < 0.1 else blocks[place]
    action = choice.random()
    if action < 0.9:
        block.put(choice.randrange(len(block.seeds)), choice.randrange(1, 1 << 40))
    elif action < 0.94:
        block.put(choice.randrange(len(block.seeds)), 0)
    elif action < 0.96:
        huge, pages = lone
        page = choice.randrange(HUGE // PAGE)
        pages[page] = choice.randrange(1, 1 << 40)
        ctypes.memmove(huge + page * PAGE, content(pages[page]), PAGE)
    elif block.owned and action < 0.98:
        block.address = libc.mremap(block.address, BLOCK, BLOCK + PAGE, MAYMOVE)  # elsewhere, one page longer, then cut
        assert block.address != ctypes.c_void_p(-1).value, ctypes.get_errno()
        libc.munmap(block.address + BLOCK, PAGE)
    elif block.owned and choice.random() < 0.1:
        libc.munmap(block.address, BLOCK)
        blocks[place] = filled(choice)


def check(blocks, lone):
    huge, pages = lone
    return sum(block.wrong() for block in blocks) + sum(ctypes.string_at(huge + page * PAGE, PAGE) != content(seed) for page, seed in pages.items())


choice = random.Random(1)
lone = (map(HUGE, PRIVATE | NORESERVE), {})
memory = os.memfd_create("shared")
os.ftruncate(memory, 16 * BLOCK)
halves = [Block(map(16 * BLOCK, SHARED, memory) + half * 8 * BLOCK, 8 * BLOCK // PAGE, owned=False) for half in (0, 1)]
for half in halves:
    for page in range(len(half.seeds)):
        half.put(page, choice.randrange(1, 1 << 40))
blocks = [filled(choice) for _ in range(BLOCKS)]
child = os.fork() == 0
choice = random.Random(2 + child)
name = "/checked.child" if child else "/checked.new"
if not child:
    open("/ready", "w").close()
due = time.monotonic()
steps = 0
while True:
    if os.path.exists("/check") and not os.path.exists(name):
        # each has half of what is shared to itself
        wrong = check(blocks + [halves[child]], lone)
        with open(name + ".part", "w") as answer:
            answer.write("%d wrong, %d steps" % (wrong, steps))
        os.rename(name + ".part", name)
        if not child:
            while not os.path.exists("/checked.child"):
                time.sleep(0.01)
            other = open("/checked.child").read()
            with open("/checked.all", "w") as answer:
                answer.write("%d wrong, %d steps" % (wrong + int(other.split()[0]), steps))
            os.rename("/checked.all", "/checked")
    for _ in range(rate // 100):
        step(choice, blocks, halves[child], lone)
        steps += 1
    due = max(due + 0.01, time.monotonic() - 0.1)
    time.sleep(max(0, due - time.monotonic()))
