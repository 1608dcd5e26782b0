/* What the peers say to each other (chapter 11, section 4). Bulk content is not here: the source goes on only when its receipts are read. */

/* source to target */
#define Propose         1
#define Prepare         2
#define LeaseRequest    4
#define Commit          8
#define Done            16

/* target to source */
#define Accept          1
#define Refuse          2
#define Prepared        4
#define StillPrepared   8
#define RunningSaid     16

/* either */
#define Abort           32

byte heard;     /* the lease request that the message of this step is about */

#ifndef CLOCK

/* Everything that was ever said. To hear a message takes nothing away: it may come again, after any other, or not at all. */
byte toTarget;
byte toSource;

#define SAY(to, message, lease)     to = to | (message)
#define HEARS(from, message)        (from & (message))
#define HEARS_OTHER(from, due)      (from & (63 - (due)))
#define TAKE(from)                  skip
#define IS_SAID(to, message)        (to & (message))
#define SESSION_IS_OVER(from, peer) (cut || peer != Up)
#define PEER_LISTENS                (!cut && tLife == Up)
#define HAS_SAID_DONE               (toTarget & Done)

#else

/* A stream, as it is: in order, each message once. With each message goes the lease request that it makes or answers, and when it was sent. */
chan toTarget = [8] of { byte, byte, byte };
chan toSource = [8] of { byte, byte, byte };

#define SAY(to, message, lease)     to!message, lease, instant
#define HEARS_ONE(from, mask, bit)  (((mask) & (bit)) && from?[bit, _, _])
#define HEARS(from, mask)           (HEARS_ONE(from, mask, 1) || HEARS_ONE(from, mask, 2) || HEARS_ONE(from, mask, 4) \
                                     || HEARS_ONE(from, mask, 8) || HEARS_ONE(from, mask, 16) || HEARS_ONE(from, mask, 32))
#define HEARS_OTHER(from, due)      (nempty(from) && !HEARS(from, due))
#define TAKE(from)                  from?_, heard, _
#define DROP(from)                  from?_, _, _
#define SESSION_IS_OVER(from, peer) (peer != Up && empty(from))
#define PEER_LISTENS                (tLife == Up)
#define HAS_SAID_DONE               false

#endif
