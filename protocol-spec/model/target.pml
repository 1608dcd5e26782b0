/* The target: its machine (chapter 11, section 3.2), the work that it asks for, and its next start (MIG-55). */

mtype = { T_Waiting, T_Checking, T_Admitting, T_Receiving, T_Restoring, T_Holding, T_Releasing, T_Confirming, T_CleaningUp,
          T_Completed, T_Aborted, T_Refused, T_Unused, T_InDoubt };
#define T_Nothing 0

mtype target = T_Waiting;       /* the machine's state; at the next start the one whose work it does; 0 when the program is dead */
mtype tEvent;
bit tFailed;                    /* it wants to stop holding, and answers no more lease requests (MIG-45) */
bit tForgotten;                 /* nothing of the job is left to tidy */
bit tSourceDone;                /* the source has heard, or will not hear any more */
byte tCancels = CANCELS;
byte tCrashes = CRASHES;

mtype tStage;
mtype tRecord;
bit tClosing;
bit tByPerson;                  /* a person has said to keep the source */
bit tLost;                      /* what ran has ended with its machine, and lacked memory */

#define T_IS(state)         (tLife == Up && target == state)
#define T_HEARS(message)    (!tDeaf && HEARS(toTarget, message))
#define T_IS_WRITING        (tStage == Writing || tStage == Syncing)
#define T_BEFORE_HOLD       (T_IS(T_Waiting) || T_IS(T_Checking) || T_IS(T_Admitting) || T_IS(T_Receiving) || T_IS(T_Restoring))

#define T_MINDS_TROUBLE     ((T_BEFORE_HOLD && !T_IS_WRITING) || (T_IS(T_Holding) && !tFailed))
#define T_DUE               (target == T_Waiting -> Propose : (target == T_Receiving -> Prepare : (target == T_Restoring -> LeaseRequest : \
                             (target == T_Holding -> LeaseRequest | Commit | Abort : 0))))

#ifdef RELEASE_BEFORE_FSYNC
#define RELEASE_IS_WRITTEN  true
#else
#define RELEASE_IS_WRITTEN  (tJournal.disk == T_Releasing)
#endif

#ifdef RELEASED_IS_GONE
#define NEVER_RAN           true
#else
#define NEVER_RAN           (tCopy == Held || (tCopy == None && !tLost))
#endif

inline target_begins(record) {
    tRecord = record;
    tClosing = 0;
    tStage = (tRecord != 0 -> Writing : Acting)
}

inline target_closes(record) {
    tRecord = record;
    tClosing = 1;
    tStage = Writing
}

inline target_rests() {
    tLife = Over;
    tDeaf = 1;
    tFailed = 0;
    tForgotten = 0;
    tSourceDone = 0;
    tStage = 0;
    tRecord = 0;
    tClosing = 0
}

inline target_copy(copy) {
    tCopy = copy;
    check_copies()
}

inline target_event() {
    if
    :: T_IS(T_Waiting) && T_HEARS(Propose) -> TAKE(toTarget); tEvent = on_Proposed
    :: T_IS(T_Receiving) && T_HEARS(Prepare) -> TAKE(toTarget); note_request(); tEvent = on_PrepareHeard
    :: T_IS(T_Holding) && T_HEARS(Commit) -> TAKE(toTarget); tEvent = on_CommitHeard
    :: T_IS(T_Holding) && T_HEARS(Abort) -> TAKE(toTarget); tEvent = on_Failed
    :: T_IS(T_Confirming) && !tSourceDone && T_HEARS(Done) -> TAKE(toTarget); tSourceDone = 1; tEvent = Nothing
    :: T_MINDS_TROUBLE && !tDeaf && HEARS_OTHER(toTarget, T_DUE) -> TAKE(toTarget); tEvent = Trouble

    /* the session has ended; its user interrupts; a deadline; the end of the promise */
    :: !tDeaf && SESSION_IS_OVER(toTarget, sLife) && tLife == Up && !T_IS_WRITING -> tDeaf = 1; tSourceDone = T_IS(T_Confirming); tEvent = Trouble
    :: T_MINDS_TROUBLE && tCancels > 0 -> tCancels--; tEvent = Trouble
    :: (T_IS(T_Waiting) || T_IS(T_Receiving)) && DEADLINES_PASS -> tEvent = Trouble
    :: T_IS(T_Holding) && PROMISE_IS_OVER -> tEvent = on_Failed
    :: T_IS(T_Confirming) && !tSourceDone && DEADLINES_PASS -> tSourceDone = 1; tEvent = Nothing

    /* work is done */
    :: T_IS(T_Checking) && tStage == Acted -> tEvent = on_ChecksPassed
    :: T_IS(T_Admitting) && tStage == Acted -> tEvent = on_Admitted
    :: T_IS(T_Restoring) && tStage == Acted -> tEvent = on_Restored
    :: T_IS(T_Releasing) && tStage == Letting && tCopy == Running -> tEvent = on_Released
    :: T_IS(T_Confirming) && tStage == Acted -> delete(tJournal); decide(Running); tStage = 0; tForgotten = 1; tEvent = Nothing
    :: T_IS(T_Confirming) && tForgotten && tSourceDone -> tEvent = on_Finished
    :: T_IS(T_CleaningUp) && tStage == Acted ->
        if
        :: tJournal.exists -> delete(tJournal); decide(Gone)
        :: else
        fi;
        tEvent = on_CleanedUp

    /* a check or the ticket says no; work fails; a record cannot be written */
    :: (T_IS(T_Checking) || T_IS(T_Admitting)) && WORK_FAILS && tStage == Acting -> tEvent = on_Denied
    :: T_BEFORE_HOLD && WORK_FAILS && (tStage == Acting || (tStage == Acted && target != T_Restoring)) -> tEvent = Trouble
    :: T_IS(T_Releasing) && RELEASES_FAIL && tStage == Acting -> tEvent = on_ReleaseFailed
    :: T_IS(T_Releasing) && RELEASES_FAIL && tStage == Letting && tCopy == Released -> tCopy = Held; tEvent = on_ReleaseFailed  /* it was not thawed, and will not be */
    :: T_IS(T_Confirming) && (left -> GIVING_FAILS : WORK_FAILS) && tStage == Acting -> tStage = 0; tForgotten = 1; tEvent = Nothing
    :: T_IS(T_CleaningUp) && WORK_FAILS && tStage == Acting -> tEvent = on_GaveUp
    :: T_IS_WRITING && diskFaults > 0 && T_BEFORE_HOLD -> diskFaults--; tEvent = on_Failed
    :: T_IS_WRITING && diskFaults > 0 && T_IS(T_Releasing) -> diskFaults--; tEvent = on_ReleaseFailed
    :: T_IS_WRITING && diskFaults > 0 && T_IS(T_Confirming) -> diskFaults--; tStage = 0; tForgotten = 1; tEvent = Nothing
    :: T_IS_WRITING && diskFaults > 0 && T_IS(T_CleaningUp) -> diskFaults--; tEvent = on_GaveUp
    fi
}

inline target_trouble() {
    if
    :: tEvent == Trouble && T_BEFORE_HOLD -> tEvent = on_Failed
#ifdef BREAK_PROMISE
    :: tEvent == Trouble && T_IS(T_Holding) -> tEvent = on_Failed
#else
    :: tEvent == Trouble && T_IS(T_Holding) -> tFailed = 1; tEvent = Nothing
#endif
    :: tEvent == Trouble && !T_BEFORE_HOLD && !T_IS(T_Holding) -> tEvent = Nothing
    :: else
    fi
}

inline target_moves() {
    if
#define ROW(state, event, next) :: target == T_##state && tEvent == on_##event -> target = T_##next
#include "target-transitions.inc"
#undef ROW
    :: else -> assert(false)
    fi
}

inline target_says_abort() {
    if
    :: !tDeaf -> SAY(toSource, Abort, 0)
    :: else
    fi
}

inline target_enters() {
    if
    :: target == T_Checking || target == T_Admitting -> target_begins(0)
    :: target == T_Receiving -> tStage = 0; SAY(toSource, Accept, 0)
    :: target == T_Restoring -> note_restore(); target_begins(T_Restoring)
    :: target == T_Holding -> tStage = 0; SAY(toSource, Prepared, LEASE_HEARD)
    :: target == T_Releasing -> tFailed = 0; target_begins(T_Releasing)
    :: target == T_Confirming -> tSourceDone = tDeaf; SAY(toSource, RunningSaid, 0); target_begins(T_Confirming)
    :: target == T_CleaningUp -> target_says_abort(); target_begins(0)
    :: target == T_Refused -> SAY(toSource, Refuse, 0); target_rests()
    :: target == T_Completed || target == T_Aborted || target == T_Unused -> target_rests()
    fi
}

/* The effect of a piece of work. A clean-up never meets a container that has run, nor, unless a person asked for it, one that may have (MIG-46, MIG-59). */
inline target_acts() {
    tStage = Acted;
    if
    :: target == T_Admitting -> tJournal.exists = 1; target_closes(T_Receiving)
    :: target == T_Restoring -> assert(tJournal.disk == T_Restoring); target_copy(Held)
    :: target == T_Releasing -> assert(RELEASE_IS_WRITTEN); target_copy(Released); tStage = Letting
    :: target == T_Confirming -> target_closes(T_Completed)
    :: target == T_CleaningUp ->
        assert(tCopy != Running && (tByPerson || tCopy != Released));
        target_copy(None);
        if
        :: tJournal.exists -> target_closes(T_Aborted)
        :: else
        fi
    :: else
    fi
}

inline target_recovers() {
    tDoubt = 0;
    if
    :: !tJournal.exists -> target = T_Unused; target_rests()
    :: tJournal.exists ->
        read(tJournal);
        if
#define ROW(record, behind, what) :: last == T_##record && tail == behind -> action = act_##what
#include "target-recovery.inc"
#undef ROW
        :: else -> assert(false)
        fi;
        tLife = Recovering;
        if
        :: action == act_CleanedUp && last != T_Aborted -> target = T_CleaningUp; target_begins(0)
        :: action == act_CleanedUp && last == T_Aborted -> target = T_Aborted; delete(tJournal); decide(Gone); target_rests()
        /* MIG-59: the copy knows more than the journal, unless the machine was started again. */
        :: action == act_InDoubt && NEVER_RAN -> target = T_CleaningUp; target_begins(0)
        :: action == act_InDoubt && tCopy == Running -> target = T_Completed; delete(tJournal); decide(Running); target_rests()
        :: action == act_InDoubt -> target = T_InDoubt; tell_doubt(tDoubt); target_rests()
#ifdef FORGETS_WHAT_IS_LOST
        :: action == act_Forgotten -> target = T_Completed; delete(tJournal); decide(Running); target_rests()
#else
        :: action == act_Forgotten && tLost -> target = T_InDoubt; tell_doubt(tDoubt); target_rests()
        :: action == act_Forgotten && !tLost -> target = T_Completed; delete(tJournal); decide(Running); target_rests()
#endif
        fi;
        last = 0;
        tail = 0;
        action = 0
    fi
}

proctype Target()
{
end:
    do
    :: atomic {
        target_event();
        target_trouble();
        if
        :: tEvent == Nothing
        :: else -> target_moves(); target_enters()
        fi;
        tEvent = 0;
        heard = 0
       }

    /* Lease requests: heard while restoring, answered while holding. */
    :: atomic { (T_IS(T_Restoring) || (T_IS(T_Holding) && !tFailed)) && T_HEARS(LeaseRequest) && NEW_LEASE ->
        TAKE(toTarget);
        note_request();
        if
        :: target == T_Holding -> SAY(toSource, StillPrepared, LEASE_HEARD)
        :: else
        fi;
        heard = 0
       }

#ifdef RELEASE_BEFORE_FSYNC
    :: atomic { tStage == Writing -> tJournal.cache = tRecord; tStage = (target == T_Releasing -> Acting : Syncing) }
#else
    :: atomic { tStage == Writing -> tJournal.cache = tRecord; tStage = Syncing }
#endif
    :: atomic { tStage == Syncing -> flush(tJournal); tStage = (tClosing -> Acted : Acting) }
#ifdef FORGETS_TOO_EARLY
    :: atomic { tStage == Acting -> target_acts() }
#else
    :: atomic { tStage == Acting && (target != T_Confirming || !left) -> target_acts() } /* MIG-100 */
#endif

    /* The thaw. */
    :: atomic { T_IS(T_Releasing) && tStage == Letting && tCopy == Released -> target_copy(Running) }

    :: atomic { tLife == Recovering && tStage == Acted -> delete(tJournal); decide(Gone); target = T_Aborted; tByPerson = 0; target_rests() }
    :: atomic { (tLife == Down || (tLife == Over && tJournal.exists && !tDoubt)) && !(left && tCopy == Running) -> target_recovers() }
#ifdef CLOCK
    :: atomic { !tDeaf && T_IS(T_Holding) && tFailed && HEARS(toTarget, LeaseRequest) -> DROP(toTarget) }
    :: atomic { !tDeaf && (T_IS(T_Releasing) || T_IS(T_CleaningUp)) && nempty(toTarget) -> DROP(toTarget) }
    :: atomic { !tDeaf && T_IS(T_Confirming) && HEARS_OTHER(toTarget, Done) -> DROP(toTarget) }
#endif
    od
}
