/* The source: its machine (chapter 11, section 3.1), the work that it asks for, and its next start (MIG-54). */

mtype = { S_Proposing, S_Copying, S_Freezing, S_Dumping, S_Shipping, S_Preparing, S_Committing, S_Committed, S_Giving, S_Destroying, S_RollingBack,
          S_Completed, S_RolledBack, S_InDoubt };
#define S_Nothing 0

mtype source = S_Proposing;     /* the machine's state; at the next start the one whose work it does; 0 when the program is dead */
mtype sEvent;                    /* of one step */
bit sPrepared;                  /* the target has said so */
bit sFailed;                    /* something went wrong while the commit record was being written */
bit sRoundsOver;
byte sAttempts;
byte sCancels = CANCELS;
byte sCrashes = CRASHES;

mtype sStage;
mtype sRecord;                  /* to be written before the work, or behind it when it is closing */
bit sClosing;
bit sStuck;                     /* in doubt for one reason only: it could not be thawed */

#define S_IS(state)         (sLife == Up && source == state && !IS_STOPPED)
#define S_HEARS(message)    (!sDeaf && HEARS(toSource, message))
#define S_IS_WRITING        (sStage == Writing || sStage == Syncing)
#define S_BEFORE_COMMIT     (S_IS(S_Proposing) || S_IS(S_Copying) || S_IS(S_Freezing) || S_IS(S_Dumping) || S_IS(S_Shipping) || S_IS(S_Preparing))
#define S_IS_ENDING         (S_IS(S_Destroying) || S_IS(S_RollingBack))

/* Where a failure means something (MIG-12, MIG-42). A rollback awaits the record that is being written, so it comes first. */
#define S_MINDS_TROUBLE     (((S_BEFORE_COMMIT || S_IS(S_Giving)) && !S_IS_WRITING) || ((S_IS(S_Committing) || S_IS(S_Committed)) && !sFailed))

/* What is due in a state, and what is ignored there; all else is a failure of the target (MIG-11). */
#define S_DUE               (source == S_Proposing -> Accept | Refuse : (source == S_Preparing && !sPrepared -> Prepared : \
                             (source == S_Preparing -> Prepared | StillPrepared : (source == S_Committing -> StillPrepared : \
                             (source == S_Committed -> StillPrepared | RunningSaid : (source == S_Giving -> StillPrepared : 0))))))

inline source_begins(record) {
    sRecord = record;
    sClosing = 0;
    sStage = (sRecord != 0 -> Writing : Acting)
}

inline source_closes(record) {
    sRecord = record;
    sClosing = 1;
    sStage = Writing
}

inline source_rests() {
    sLife = Over;
    sDeaf = 1;
    sPrepared = 0;
    sFailed = 0;
    sRoundsOver = 0;
    sAttempts = 0;
    sStage = 0;
    sRecord = 0;
    sClosing = 0
}

inline source_copy(copy) {
    sCopy = copy;
    check_copies()
}

/* MIG-192. A source that has said Done, upon which the target forgets how the job ended, is never in doubt again. */
inline source_doubts() {
    assert(!HAS_SAID_DONE);
    tell_doubt(sDoubt)
}

/* Something happens that may move the machine. */
inline source_event() {
    if
    :: S_IS(S_Proposing) && S_HEARS(Accept) -> TAKE(toSource); sEvent = on_Accepted
    :: S_IS(S_Proposing) && S_HEARS(Refuse) -> TAKE(toSource); sEvent = Trouble
    :: S_IS(S_Preparing) && S_HEARS(Prepared) -> TAKE(toSource); judge_answer()
    :: S_IS(S_Preparing) && sPrepared && S_HEARS(StillPrepared) -> TAKE(toSource); judge_answer()
    :: S_IS(S_Committed) && S_HEARS(RunningSaid) -> TAKE(toSource); sEvent = (left -> on_LackingHeard : on_RunningHeard)
    :: S_MINDS_TROUBLE && !sDeaf && HEARS_OTHER(toSource, S_DUE) ->
        TAKE(toSource);
        sEvent = Trouble;
#ifdef THAW_ON_ABORT
        if
        :: S_IS(S_Committed) -> sEvent = on_Failed
        :: else
        fi
#endif

    /* the session has ended; its user interrupts; a deadline */
    :: !sDeaf && SESSION_IS_OVER(toSource, tLife) && (S_MINDS_TROUBLE || S_IS_ENDING) -> sDeaf = 1; sEvent = Trouble
    :: S_BEFORE_COMMIT && S_MINDS_TROUBLE && sCancels > 0 -> sCancels--; sEvent = Trouble
    :: S_BEFORE_COMMIT && S_MINDS_TROUBLE && DEADLINES_PASS -> sEvent = Trouble
#ifdef THAW_ON_TIMEOUT
    :: S_IS(S_Committed) && DEADLINES_PASS -> sEvent = on_Failed
#else
    :: S_IS(S_Committed) && DEADLINES_PASS -> sEvent = Trouble
#endif
    :: S_IS(S_Giving) && S_MINDS_TROUBLE && DEADLINES_PASS -> sEvent = Trouble
    :: S_IS(S_Committed) && sFailed -> sEvent = on_GaveUp

    /* work is done */
    :: S_IS(S_Copying) && sStage == Acted && !sRoundsOver -> sRoundsOver = 1; sEvent = on_RoundCopied
    :: S_IS(S_Copying) && sStage == Acted -> sEvent = on_Converged
    :: S_IS(S_Freezing) && sStage == Acted -> sEvent = on_Frozen
    :: S_IS(S_Dumping) && sStage == Acted ->
        if
        :: left = 1
        :: left = 0
        fi;
        sEvent = on_Dumped
    :: S_IS(S_Shipping) && sStage == Acted -> sEvent = on_Shipped
    :: S_IS(S_Committing) && sStage == Acted -> sEvent = on_CommitDurable
    :: S_IS(S_Giving) && sStage == Acted -> sEvent = on_Given
    :: S_IS(S_Destroying) && sStage == Acted -> delete(sJournal); sEvent = on_Destroyed
    :: S_IS(S_RollingBack) && sStage == Acted -> delete(sJournal); sEvent = on_Thawed

    /* work fails, before or after it had its effect (a freeze that fails has none); a record cannot be written */
    :: S_BEFORE_COMMIT && WORK_FAILS && (sStage == Acting || (sStage == Acted && source != S_Freezing)) -> sEvent = Trouble
    :: S_IS(S_Giving) && GIVING_FAILS && (sStage == Acting || sStage == Acted) -> sEvent = Trouble
    :: S_IS_ENDING && !ENDS_AT_ONCE && (sStage == Acting || sStage == Acted) -> source_tries_again()
    :: S_IS_WRITING && diskFaults > 0 && (S_BEFORE_COMMIT || S_IS(S_Committing)) -> diskFaults--; sEvent = on_Failed
    :: S_IS_WRITING && diskFaults > 0 && S_IS(S_Giving) -> diskFaults--; sEvent = on_GaveUp
    :: S_IS_WRITING && diskFaults > 0 && S_IS_ENDING -> diskFaults--; source_tries_again()
    fi
}

inline source_tries_again() {
    sAttempts++;
    if
    :: sAttempts == ATTEMPTS -> sEvent = on_GaveUp
#ifdef RETRY_WITHOUT_RECORD
    :: else -> source_begins(0); sEvent = Nothing
#else
    :: else -> source_begins((source == S_Destroying -> S_Destroying : 0)); sEvent = Nothing
#endif
    fi
}

/* What trouble means in this state. */
inline source_trouble() {
    if
    :: sEvent == Trouble && S_BEFORE_COMMIT -> sEvent = on_Failed
    :: sEvent == Trouble && S_IS(S_Committing) -> sFailed = 1; sEvent = Nothing
    :: sEvent == Trouble && (S_IS(S_Committed) || S_IS(S_Giving)) -> sEvent = on_GaveUp
    :: sEvent == Trouble && S_IS_ENDING -> sEvent = Nothing
    :: else
    fi
}

/* The table. Whatever is not in it does not happen (MIG-10). */
inline source_moves() {
    if
#define ROW(state, event, next) :: source == S_##state && sEvent == on_##event -> source = S_##next
#include "source-transitions.inc"
#undef ROW
#if defined(THAW_ON_TIMEOUT) || defined(THAW_ON_ABORT)
    :: source == S_Committed && sEvent == on_Failed -> source = S_RollingBack
#endif
    :: else -> assert(false)
    fi
}

/* What it does on entering a state. */
inline source_enters() {
    if
    :: source == S_Copying -> source_begins((sEvent == on_Accepted -> S_Copying : 0))
    :: source == S_Freezing -> source_begins(S_Freezing)
    :: source == S_Dumping || source == S_Shipping -> source_begins(0)
    :: source == S_Preparing -> sStage = 0; ask(Prepare)
    :: source == S_Committing -> source_begins(S_Committed); note_decision()
    :: source == S_Committed ->
        sStage = 0;
        SAY(toTarget, Commit, 0);
#ifdef DESTROY_AT_COMMIT
        source_copy(Gone)
#endif
    :: source == S_Giving -> source_begins(S_Giving)
#ifdef DONE_TOO_EARLY
    :: source == S_Destroying -> SAY(toTarget, Done, 0); source_begins(S_Destroying)
#else
    :: source == S_Destroying -> source_begins(S_Destroying)
#endif
    :: source == S_RollingBack ->
        if
        :: !sDeaf -> SAY(toTarget, Abort, 0)
        :: else
        fi;
        source_begins(0)
    :: source == S_InDoubt ->
        source_doubts();
        sStuck = (sEvent == on_GaveUp && sJournal.disk != S_Committed && sJournal.disk != S_Giving);
        source_rests()
    :: source == S_Completed || source == S_RolledBack ->
        if
        :: source == S_Completed && sEvent == on_Destroyed && !sDeaf -> SAY(toTarget, Done, 0)
        :: else
        fi;
        source_rests()
    fi
}

/* The effect of a piece of work; MIG-53 says what must be durable by then. */
inline source_acts() {
    sStage = Acted;
    if
    :: source == S_Freezing -> assert(sJournal.disk == S_Freezing); source_copy(Frozen)
    :: source == S_RollingBack ->
        if
        :: sCopy == Frozen -> left = 0; source_copy(Running)
        :: else
        fi;
        source_closes(S_RolledBack)
    :: source == S_Giving -> assert(sJournal.disk == S_Giving); left = 0
    :: source == S_Destroying ->
        assert(sLife != Up || sJournal.disk == S_Destroying);
        source_copy(Gone);
        source_closes(S_Completed)
    :: else
    fi
}

/* The next start. */
inline source_recovers() {
    read(sJournal);
    if
#define ROW(record, behind, what) :: last == S_##record && tail == behind -> action = act_##what
#include "source-recovery.inc"
#undef ROW
    :: else -> assert(false)
    fi;
    sDoubt = 0;
    sStuck = 0;
    sLife = Recovering;
    if
    :: action == act_Thawed -> source = S_RollingBack; source_begins(0)
    :: action == act_Destroyed -> source = S_Destroying; source_begins(0)
    :: action == act_InDoubt -> source = S_InDoubt; source_doubts(); source_rests()
    :: action == act_Forgotten -> source = last; delete(sJournal); source_rests()
    fi;
    last = 0;
    tail = 0;
    action = 0
}

proctype Source()
{
end:
    do
    :: atomic {
        source_event();
        source_trouble();
        if
        :: sEvent == Nothing
        :: else -> source_moves(); source_enters()
        fi;
        sEvent = 0;
        heard = 0
       }

    /* The target's promise is renewed (MIG-40). Without a clock once is as good as often. */
    :: atomic { S_IS(S_Preparing) && MAY_ASK -> ask(LeaseRequest) }

#ifdef COMMIT_BEFORE_FSYNC
    :: atomic { sStage == Writing -> sJournal.cache = sRecord; sStage = (source == S_Committing -> Acting : Syncing) }
#else
    :: atomic { sStage == Writing -> sJournal.cache = sRecord; sStage = Syncing }
#endif
    :: atomic { sStage == Syncing -> flush(sJournal); sStage = (sClosing -> Acted : Acting) }
    :: atomic { sStage == Acting && (source != S_Giving || PEER_LISTENS) -> source_acts() }

    :: atomic { sLife == Recovering && sStage == Acted ->
        delete(sJournal);
        source = (source == S_RollingBack -> S_RolledBack : S_Completed);
        source_rests()
       }
    :: atomic { sLife == Down || (sLife == Over && sJournal.exists && (!sDoubt || sStuck)) -> source_recovers() }
#ifdef CLOCK
    :: atomic { !sDeaf && ((S_IS(S_Committing) || S_IS(S_Committed)) && HEARS(toSource, StillPrepared)) -> DROP(toSource) }
    :: atomic { !sDeaf && S_IS_ENDING && nempty(toSource) -> DROP(toSource) }
#endif
    od
}
