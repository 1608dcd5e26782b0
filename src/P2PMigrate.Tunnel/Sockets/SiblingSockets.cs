using System.Net.Sockets;
using P2PMigrate.Protocol.Paths;
using static P2PMigrate.Tunnel.Sockets.LibC;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// Further sockets beside an endpoint's own one, each with a port of its own: mostly none, hundreds for the seconds that punching
/// takes, and then one or two. Loop only.
/// </summary>
// spec: PATH-76
internal sealed unsafe class SiblingSockets(Func<Socket> open, bool useTrains) : IDisposable
{
    /// <summary>Sockets at a time, those of all sessions together.</summary>
    // spec: CONST-246
    public const int MaxCount = 512;

    private readonly List<SiblingSocket> _all = [];
    private readonly List<SiblingSocket> _ready = [];

    /// <summary>How many there are.</summary>
    public int Count => _all.Count;

    /// <summary>Opens another one; null when there are too many, or the machine has no more.</summary>
    public SiblingSocket? TryOpen(ISiblingOwner owner, LocalInterface number)
    {
        if (_all.Count >= MaxCount)
            return null;
        try
        {
            var socket = new SiblingSocket(open(), useTrains, owner, number);
            _all.Add(socket);
            return socket;
        }
        catch (Exception error) when (error is SocketException or TunnelException)
        {
            return null;
        }
    }

    /// <summary>Closes one.</summary>
    public void Close(SiblingSocket socket)
    {
        _all.Remove(socket);
        socket.Dispose();
    }

    /// <summary>Writes what a poll has to look at, an entry for each.</summary>
    public void AskFor(PollEntry* entries)
    {
        for (int i = 0; i < _all.Count; i++)
            entries[i] = new PollEntry { File = _all[i].File, Wanted = POLLIN };
    }

    /// <summary>Those to which something has come. The list is good until the next call.</summary>
    public List<SiblingSocket> FindReady()
    {
        _ready.Clear();
        PollEntry* entries = stackalloc PollEntry[_all.Count];
        AskFor(entries);
        if (PollFor(entries, (nuint)_all.Count, TimeSpan.Zero) <= 0)
            return _ready;
        for (int i = 0; i < _all.Count; i++)
        {
            if (entries[i].Happened != 0)
                _ready.Add(_all[i]);
        }

        return _ready;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SiblingSocket socket in _all)
            socket.Dispose();
        _all.Clear();
    }
}
