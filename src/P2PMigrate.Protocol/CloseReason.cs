namespace P2PMigrate.Protocol;

/// <summary>
/// Why a session ended. <paramref name="Code"/> is from 13-errors or, from <see cref="TunnelErrorCode.FirstApplicationCode"/>
/// on, the application's. <paramref name="ByPeer"/> tells whose word it is; <paramref name="IsLost"/> is true when nobody
/// said goodbye.
/// </summary>
public readonly record struct CloseReason(ulong Code, string Text, bool ByPeer, bool IsLost);
