using P2PMigrate.Protocol.Paths;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>The sockets that a session has beside the endpoint's own one: opened when it first sends from them. Loop only.</summary>
// spec: PATH-76
internal sealed class SessionSockets(SiblingSockets? siblings, ISiblingOwner owner)
{
    private readonly Dictionary<LocalInterface, SiblingSocket> _open = [];

    /// <summary>The numbers of those that are open.</summary>
    public IReadOnlyCollection<LocalInterface> Numbers => _open.Keys;

    /// <summary>Sends the last train of <paramref name="batch"/> from this socket and takes it out; if there is no socket to be had it is dropped.</summary>
    public void SendLast(LocalInterface number, TransmitBatch batch)
    {
        if (!_open.TryGetValue(number, out SiblingSocket? socket) && (socket = siblings?.TryOpen(owner, number)) is not null)
            _open.Add(number, socket);
        if (socket is null)
            batch.RemoveLast();
        else
            socket.SendLast(batch);
    }

    /// <summary>Closes all others.</summary>
    public void Release(IReadOnlyList<LocalInterface> kept)
    {
        foreach (LocalInterface number in _open.Keys.Where(number => !kept.Contains(number)).ToArray())
        {
            siblings!.Close(_open[number]);
            _open.Remove(number);
        }
    }
}
