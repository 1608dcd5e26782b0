"""A workload one of whose processes leaves its tree when it is told to: its parent ends. Whoever asks makes AT/leave; AT/left has its number then."""
import os
import time

AT = os.environ.get("AT", "")
open(AT + "/ready", "w").close()
while not os.path.exists(AT + "/leave"):
    time.sleep(0.02)
child = os.fork()
if child == 0:
    grandchild = os.fork()
    if grandchild == 0:
        time.sleep(1)
        with open(AT + "/left.new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(AT + "/left.new", AT + "/left")
        time.sleep(100000)
    os._exit(0)
os.waitpid(child, 0)
time.sleep(100000)
