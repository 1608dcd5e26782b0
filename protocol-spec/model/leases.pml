/* Time, as far as the leases need it (MIG-40, MIG-45, MIG-47). Without -DCLOCK any answer may be fresh or not, and any promise may end. */

#ifndef CLOCK

#define MAY_ASK             (!IS_SAID(toTarget, LeaseRequest))
#define IS_STOPPED          false
#define PROMISE_IS_OVER     true
#define DEADLINES_PASS      true
#define WORK_FAILS          true
#define RELEASES_FAIL       true
#define GIVING_FAILS        true
#define ENDS_AT_ONCE          false
#define NEW_LEASE           (target == T_Holding && !IS_SAID(toSource, StillPrepared))
#define LEASE_HEARD         0

inline ask(message) { SAY(toTarget, message, 0) }

inline judge_answer() {
    if
    :: sEvent = on_PreparedInLease
    :: !sPrepared -> sEvent = Nothing
    fi;
    sPrepared = 1
}

inline note_decision() { skip }
inline note_request() { skip }
inline note_restore() { skip }

#else

/*
 * Whole units of time; a lease on the commit is a quarter of the one on the hold, as in chapter 12. Calm weather has finer units, because
 * there a round trip must fit into the lease.
 */
#ifdef CALM
#define COMMIT_LEASE    2
#define FLUSH           3   /* of the commit record, at most */
#define PAUSE           0
#else
#define COMMIT_LEASE    1
#define FLUSH           1
#define PAUSE           5   /* how long the source may be stopped, once, before it decides */
#endif
#ifdef SHORT_HOLD
#define HOLD_LEASE      COMMIT_LEASE
#else
#define HOLD_LEASE      (4 * COMMIT_LEASE)
#endif
#define FRESH           0
#define DELAY           1   /* of a message, at most */
#define RESTORE         1   /* at most */
#define PREPARE         6   /* the source's deadline for all of it */
#define HORIZON         20
#define NEVER           255

#define MAY_ASK             (asked < instant)
#define AGE                 (instant - heard)
#define IS_STOPPED          (stoppedAt != NEVER)
#define NEW_LEASE           true
#define LEASE_HEARD         leaseHeard
#define RELEASES_FAIL       false
#define GIVING_FAILS        false   /* the leases do not bear on it */
#define ENDS_AT_ONCE          true
#define PROMISE_IS_OVER     (instant >= promisedUntil)
#define DEADLINES_PASS      (source == S_Preparing && instant >= PREPARE)
#ifdef CALM
#define WORK_FAILS          false
#else
#define WORK_FAILS          true
#endif

byte instant;
byte asked;             /* when the last lease request was sent; its number is that instant */
byte refused = NEVER;   /* when the first answer came that was too old */
byte decided;
byte leaseHeard;        /* the number of the last request that the target heard */
byte promisedUntil;
byte restoring;         /* since when */
byte stoppedAt = NEVER;
bit wasStopped;

inline ask(message) {
    asked = instant;
    SAY(toTarget, message, instant)
}

inline judge_answer() {
    sPrepared = 1;
    if
#ifdef ANSWER_OF_ANY_AGE
    :: true -> sEvent = on_PreparedInLease
#else
    :: AGE > COMMIT_LEASE -> sEvent = Nothing
    :: AGE <= COMMIT_LEASE && (AGE <= FRESH || heard >= refused) -> sEvent = on_PreparedInLease
    :: AGE <= COMMIT_LEASE && !(AGE <= FRESH || heard >= refused) -> refused = (refused == NEVER -> instant : refused); sEvent = Nothing
#endif
    fi
}

inline note_decision() { decided = instant; refused = NEVER }
inline note_request() { leaseHeard = heard; promisedUntil = instant + HOLD_LEASE }
inline note_restore() { restoring = instant }

#endif
