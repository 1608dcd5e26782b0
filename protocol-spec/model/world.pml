/* What goes wrong, what a copy does by itself, the person who ends a doubt, and how all of it must end. */

/* Killed. What its disk makes of that shows when the journal is read. */
inline source_crashes() {
    sCrashes--;
    source = 0;
    source_rests();
    sLife = Down
}

inline target_crashes() {
    tCrashes--;
    target = 0;
    tByPerson = 0;
    target_rests();
    tLife = Down
}

/*
 * MIG-56. A person who keeps the source has looked where the job has ended at the target, for until then it may still begin to run there.
 * Everything else is at the person's own risk.
 */
#ifdef HASTY_PERSON
#define TARGET_HAS_ENDED    true
#else
#define TARGET_HAS_ENDED    (tLife == Over && !tDoubt)
#endif

/*
 * MIG-58. To a person a held copy looks as if it ran. The program at the target knows better, and says so: it refuses to keep it.
 * A person at the source goes by what was said there.
 */
#ifdef BLIND_KEEP
#define SEEMS_TO_RUN        (tCopy == Running || tCopy == Held)
#else
#define SEEMS_TO_RUN        (tCopy == Running)
#endif
#define MAY_BE_KEPT         (SEEMS_TO_RUN || tCopy == Released)

inline person_at_source() {
    sDoubt = 0;
    sStuck = 0;
    sLife = Recovering;
    if
    :: SEEMS_TO_RUN -> source = S_Destroying
    :: else -> source = S_RollingBack
    fi;
    source_begins(0)
}

inline person_at_target() {
    tDoubt = 0;
    if
    :: MAY_BE_KEPT ->
        if
        :: tCopy == Released -> target_copy(Running)
        :: else
        fi;
        if
#ifndef KEEPS_WHAT_LACKS
        :: left -> target = 0; tJournal.cache = T_Confirming; flush(tJournal) /* MIG-100: the job ends when nothing is missing */
        :: !left ->
#else
        :: true ->
#endif
            target = T_Completed;
            delete(tJournal);
            decide(Running)
        fi
    :: tCopy != Running -> tLife = Recovering; tByPerson = 1; target = T_CleaningUp; target_begins(0)
    fi
}

/* MIG-191. The source asks, whenever the target can answer, and goes by what is final. */
#ifdef HASTY_ANSWER
#define SAYS_GONE           (fate != Running)
#else
#define SAYS_GONE           (fate == Gone)
#endif

inline target_answers() {
    sDoubt = 0;
    sStuck = 0;
    sLife = Recovering;
    if
    :: SAYS_GONE -> source = S_RollingBack
    :: else -> source = S_Destroying
    fi;
    source_begins(0)
}

proctype World()
{
end:
    do
    :: atomic { cuts > 0 && sLife == Up && tLife == Up -> cuts--; cut = 1 }
    :: atomic { sCrashes > 0 && (sLife == Up || sLife == Recovering) -> source_crashes() }
    :: atomic { tCrashes > 0 && (tLife == Up || tLife == Recovering) -> target_crashes() }

    /* MIG-104. The target's machine is started again while memory is still to come: what ran there is gone, and the frozen copy is all that is left. */
    :: atomic { left && tCopy == Running && tCrashes > 0 && !tByPerson ->
        if
        :: tLife == Up || tLife == Recovering -> target_crashes()
        :: else -> tCrashes--; tDoubt = 0; tLife = Down
        fi;
        tLost = 1;
        target_copy(None)
       }

    /* Without its agent a held copy falls, or stays held; it looks as if it ran, and waits for ever. */
    :: atomic { tCopy == Held && (tLife == Down || tLife == Over) -> target_copy(None) }

    :: atomic { sDoubt && (fate == Running || SAYS_GONE) -> target_answers() }
    :: atomic { sDoubt && TARGET_HAS_ENDED && !(left && SEEMS_TO_RUN) -> person_at_source() } /* MIG-104 */

    /* MIG-105. Whenever the two meet again, what is left follows. */
    :: atomic { sDoubt && left && tCopy == Running && sLife == Over -> left = 0 }
    :: atomic { tDoubt && tLife == Over -> person_at_target() }
    od
}

/* When nothing can happen any more, every job has ended, one copy runs, and nothing else is left. */
proctype Rest()
{
    atomic {
        timeout ->
        assert(sLife == Over && !sDoubt && !sJournal.exists);
        assert(tLife == Over && !tDoubt && !tJournal.exists);
        assert((sCopy == Running && tCopy == None) || (sCopy == Gone && tCopy == Running));
#ifdef CALM
        assert(tCopy == Running)
#endif
    }
}
