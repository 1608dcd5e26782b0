/*
 * A journal (chapter 11, section 7): the last record that is durable, the one before it, and what was written but not flushed. A start reads
 * what has not been flushed, or does not find it, or finds it torn. Once, a durable record turns out to be unreadable.
 */
typedef Journal {
    bit exists;
    mtype disk;
    mtype before;
    mtype cache;
    bit torn            /* something that is no record stands behind the last one */
};

Journal sJournal;
Journal tJournal;

mtype = { Clean, Torn };                                            /* what stands behind the last record */
mtype = { act_Thawed, act_Destroyed, act_CleanedUp, act_Forgotten, act_InDoubt };    /* what a start does with a job */

mtype last;     /* what a start reads, and does with it; of one step */
mtype tail;
mtype action;

inline flush(journal) {
    journal.before = (spoils > 0 -> journal.disk : 0);
    journal.disk = journal.cache;
    journal.cache = 0;
    journal.torn = 0
}

inline read(journal) {
    if
    :: journal.cache != 0 ->
        if
        :: last = journal.cache; tail = Clean
        :: journal.cache = 0; last = journal.disk; tail = (journal.torn -> Torn : Clean)
        :: journal.cache = 0; journal.torn = 1; last = journal.disk; tail = Torn
        fi
    :: journal.cache == 0 -> last = journal.disk; tail = (journal.torn -> Torn : Clean)
    :: journal.cache == 0 && journal.disk != 0 && !journal.torn && spoils > 0 ->
        spoils--;
        journal.disk = journal.before;
        journal.before = 0;
        journal.torn = 1;
        last = journal.disk;
        tail = Torn
    fi
}

/* MIG-192. What the target says of the job when it has forgotten it: nothing yet, that its copy runs, or that it is gone. Whoever ends the job decides it once. */
mtype fate = 0;

inline decide(what) {
    assert(fate == 0 || fate == what);
    fate = what
}

inline delete(journal) {
    journal.exists = 0;
    journal.disk = 0;
    journal.before = 0;
    journal.cache = 0;
    journal.torn = 0
}
