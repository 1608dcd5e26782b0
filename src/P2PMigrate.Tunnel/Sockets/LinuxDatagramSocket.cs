using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Protocol.Wire;
using static P2PMigrate.Tunnel.Sockets.LibC;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// Whole trains of datagrams per message (UDP_SEGMENT, UDP_GRO), many messages per system call (recvmmsg, sendmmsg), and
/// one ppoll on the socket and an eventfd. The framework has none of it; a call per datagram costs five times the processor.
/// </summary>
internal sealed unsafe class LinuxDatagramSocket : IDatagramSocket
{
    private readonly Socket _socket;
    private readonly int _file;
    private readonly SafeFileHandle _wake;
    private readonly LinuxReceiver _receiver;
    private readonly LinuxSender _sender;
    private bool _isPrecise;

    /// <summary>
    /// Takes over <paramref name="socket"/>, which is bound. Without <paramref name="useTrains"/> every datagram goes and comes alone;
    /// without <paramref name="openSibling"/> there are no others like it.
    /// </summary>
    public LinuxDatagramSocket(Socket socket, bool useTrains = true, Func<Socket>? openSibling = null)
    {
        _socket = socket;
        _file = (int)socket.Handle;
        Local = DatagramSocket.LocalAddress(socket);
        _wake = EventFd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        _receiver = new LinuxReceiver(_file);
        _sender = new LinuxSender(_file, isIPv6: socket.AddressFamily == AddressFamily.InterNetworkV6, useTrains);
        Prepare(_file, useTrains);
        Siblings = openSibling is null ? null : new SiblingSockets(openSibling, useTrains);
    }

    /// <inheritdoc/>
    public SiblingSockets? Siblings { get; }

    /// <inheritdoc/>
    public NetworkAddress Local { get; }

    /// <summary>Does the machine still take trains? False for good once it has refused one.</summary>
    public bool SendsTrains => _sender.SendsTrains;

    /// <inheritdoc/>
    public bool Reaches(NetworkAddress remote) => DatagramSocket.Reaches(_socket, remote);

    /// <inheritdoc/>
    public bool Receive(ReceiveBatch batch) => _receiver.Receive(batch);

    /// <inheritdoc/>
    public int Send(TransmitBatch batch) => _sender.Send(batch);

    /// <inheritdoc/>
    public void Wait(TimeSpan timeout)
    {
        if (!_isPrecise)
        {
            // The kernel may be 50 us late by default, as long as a train takes at 10 Gbit/s.
            _ = ControlThread(PR_SET_TIMERSLACK, 1);
            _isPrecise = true;
        }

        int siblings = Siblings?.Count ?? 0;
        PollEntry* entries = stackalloc PollEntry[2 + siblings];
        entries[0] = new PollEntry { File = _file, Wanted = POLLIN };
        entries[1] = new PollEntry { File = (int)_wake.DangerousGetHandle(), Wanted = POLLIN };
        if (siblings > 0)
            Siblings!.AskFor(entries + 2);
        if (PollFor(entries, (nuint)(2 + siblings), timeout) > 0 && entries[1].Happened != 0)
        {
            ulong wakes;
            _ = LibC.Read(_wake, &wakes, sizeof(ulong));
        }
    }

    /// <inheritdoc/>
    public void Wake()
    {
        ulong one = 1;
        try
        {
            _ = LibC.Write(_wake, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // Somebody finished with a stream after the endpoint had gone: nobody waits any more.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _wake.Dispose();
        _receiver.Dispose();
        _sender.Dispose();
        Siblings?.Dispose();
    }

    /// <summary>Sets what every socket of an endpoint needs.</summary>
    public static void Prepare(int file, bool useTrains)
    {
        // Beyond the machine's limit where we may (CAP_NET_ADMIN); otherwise what the framework could set stays.
        Set(file, SOL_SOCKET, SO_RCVBUFFORCE, DatagramSocket.ReceiveBuffer);
        Set(file, SOL_SOCKET, SO_SNDBUFFORCE, DatagramSocket.SendBuffer);
        if (useTrains)
            Set(file, SOL_UDP, UDP_GRO, 1); // A kernel that cannot gives every datagram alone.
    }

    private static void Set(int file, int level, int option, int value) => _ = SetOption(file, level, option, &value, sizeof(int));
}
