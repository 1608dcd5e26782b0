using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>What the end of a session means for those who still use it.</summary>
internal static class SessionEnds
{
    /// <summary>The exception for every read, write and wait that comes after the end.</summary>
    public static TunnelException ToException(CloseReason reason)
    {
        if (reason.IsLost)
            return new TunnelException(TunnelFailure.Lost, "The connection to the peer was lost: nothing came from it for the idle timeout.");
        string who = reason.ByPeer ? "The peer" : "This side";
        bool isFault = reason.Code is > TunnelErrorCode.None and < TunnelErrorCode.FirstApplicationCode;
        return isFault
            ? new TunnelException(TunnelFailure.Protocol, $"{who} ended the session because of an error (0x{reason.Code:x2}): {reason.Text}")
            : new TunnelException(TunnelFailure.Closed, $"{who} closed the session: {reason.Text}");
    }
}
