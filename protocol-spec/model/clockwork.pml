/* Time goes on while somebody may wait for it, and never past what must have happened by then. */
#define IS_TIMED            (source == S_Preparing || source == S_Committing || source == S_Committed || target == T_Restoring || target == T_Holding)
#define SOURCE_IS_DUE       (IS_STOPPED -> instant - stoppedAt >= PAUSE : \
                             (toSource??[_, _, eval(instant - DELAY)] || (source == S_Preparing && (instant >= PREPARE || asked < instant))))
#define IS_DUE              (SOURCE_IS_DUE || toTarget??[_, _, eval(instant - DELAY)] || (source == S_Committing && instant - decided >= FLUSH) \
                             || source == S_RollingBack || (target == T_Restoring && instant - restoring >= RESTORE) \
                             || (target == T_Holding && instant >= promisedUntil) || target == T_Releasing || target == T_CleaningUp)

proctype Clock()
{
end:
    do
    :: atomic { IS_TIMED && !IS_DUE -> instant++; assert(instant < HORIZON) }
    :: atomic { PAUSE > 0 && S_IS(S_Preparing) && !wasStopped -> wasStopped = 1; stoppedAt = instant }
    :: atomic { IS_STOPPED -> stoppedAt = NEVER }
    od
}
