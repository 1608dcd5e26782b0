"""Starts a program as a process tree that can move: under a number that was chosen, in a session of its own, in a directory, with no descriptor but /dev/null as its standard streams.

Arguments: the number, the directory, NAME=VALUE of its environment, --, the program and its arguments.
"""
import os
import sys

number, directory = int(sys.argv[1]), sys.argv[2]
dashes = sys.argv.index("--")
environment, program = dict(word.split("=", 1) for word in sys.argv[3:dashes]), sys.argv[dashes + 1:]
for attempt in range(200):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(number - 1))
    begin, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.setsid()
        if os.read(begin, 1) == b"":
            os._exit(0)
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        os.closerange(3, 1000)
        os.environ.update(environment)
        os.chdir(directory)
        os.execvp(program[0], program)
    if child == number:
        os.write(go, b"g")
        sys.exit()
    os.close(go)
    os.close(begin)
    os.waitpid(child, 0)
sys.exit("another process was always faster")
