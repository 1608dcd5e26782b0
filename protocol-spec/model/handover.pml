/*
 * The handover of chapter 11 as a model for spin: one job, both machines with their journals, both copies of the container, what lies
 * between the peers, and what may go wrong. Chapter 11, section 12, says what it covers; tests/model runs it.
 *
 * Three readings of the same machines:
 *   without a clock   Whatever was ever said may arrive at any time, any number of times, in any order, or never. Any deadline may pass at any
 *                     time. Programs crash, disks fail, the session ends. Nothing may depend on time or order here (section 6.1).
 *   -DCLOCK           Messages keep their order and arrive in bounded time, and nothing breaks; but programs are stopped for a while, users
 *                     interrupt, work fails. The leases must keep every job out of doubt here (section 6.2).
 *   -DCLOCK -DCALM    Nobody interrupts, nothing fails and no program is stopped either: every job must complete.
 *
 * A search is exhaustive within the bounds below. variants.txt lists -Ds that each break one rule; spin must find what comes of it.
 */

#ifdef CLOCK
#define CRASHES     0
#define CUTS        0
#define DISK_FAULTS 0
#define SPOILS      0
#endif
#if defined(FEW) || defined(CALM)
#define MANY(n)     0   /* of everything that can go wrong, unless it is named */
#else
#define MANY(n)     n
#endif
#ifndef CRASHES
#define CRASHES     MANY(2)   /* of each side */
#endif
#ifndef CUTS
#define CUTS        MANY(1)   /* a session that is cut stays cut */
#endif
#ifndef DISK_FAULTS
#define DISK_FAULTS MANY(1)   /* of both sides together: a record that cannot be written */
#endif
#ifndef SPOILS
#define SPOILS      MANY(1)   /* of both sides together: a durable record that cannot be read again */
#endif
#ifndef CANCELS
#define CANCELS     MANY(1)   /* of each side */
#endif
#define ATTEMPTS    2   /* at a thaw or a destroy; the code makes ten */

/* A copy of the container. */
mtype = { None, Held, Released, Running, Frozen, Gone };

mtype sCopy = Running;  /* Running, Frozen (by its own cgroup, whoever lives), Gone */
mtype tCopy = None;     /* None, Held (it has not run), Released (frozen, and about to be thawed: that is written down), Running */

/* A program: at its job, dead, at its next start, or at rest. */
mtype = { Up, Down, Recovering, Over };

mtype sLife = Up;
mtype tLife = Up;

bit sDoubt;             /* the user was told that only a person can decide */
bit tDoubt;

bit cut;                /* the session is broken */
bit sDeaf;              /* this side knows that the session is over, and hears nothing of it any more */
bit tDeaf;

byte cuts = CUTS;
byte diskFaults = DISK_FAULTS;
byte spoils = SPOILS;

/* A piece of work: its record is written, then made durable, then it is done, and at last that is told. */
mtype = { Writing, Syncing, Acting, Letting, Acted };

/* The events of both tables. Trouble is what MIG-12 calls a failure, before it is clear what that means in the state it meets. */
mtype = { on_Accepted, on_RoundCopied, on_Converged, on_Frozen, on_Dumped, on_Shipped, on_PreparedInLease, on_CommitDurable, on_RunningHeard, on_LackingHeard, on_Given,
          on_Destroyed, on_Thawed, on_Proposed, on_ChecksPassed, on_Denied, on_Admitted, on_PrepareHeard, on_Restored, on_CommitHeard, on_Released,
          on_ReleaseFailed, on_Finished, on_CleanedUp, on_Failed, on_GaveUp, Trouble, Nothing };

bit left;               /* the dump has left memory at the source that the copy at the target needs, and has not got (MIG-101) */

/* At every instant at most one copy runs or is on its way to run; and there is always one that runs or can. */
inline check_copies() {
    assert(!(sCopy == Running && (tCopy == Running || tCopy == Released)));
    assert(sCopy != Gone || tCopy == Running);
    assert(!(left && sCopy == Gone))
}

/* With intact programs and a working path the leases leave no doubt. */
inline tell_doubt(doubt) {
    doubt = 1;
#ifdef CLOCK
    assert(false)
#endif
}

#include "messages.pml"
#include "leases.pml"
#include "journal.pml"
#include "source.pml"
#include "target.pml"
#include "world.pml"
#ifdef CLOCK
#include "clockwork.pml"
#endif

init {
    atomic {
        sJournal.exists = 1;
#ifndef CLOCK
        SAY(toTarget, Propose, 0);
#else
        /* All is sent and stored. From here on the leases matter, and nothing before bears on them. */
        source = S_Shipping;
        sStage = Acted;
        sCopy = Frozen;
        if
        :: left = 1
        :: left = 0
        fi;
        sJournal.disk = S_Freezing;
        target = T_Receiving;
        tJournal.exists = 1;
        tJournal.disk = T_Receiving;
        run Clock();
#endif
        run Source();
        run Target();
        run World();
        run Rest()
    }
}
