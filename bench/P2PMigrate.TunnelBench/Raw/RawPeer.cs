using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.TunnelBench.Raw;

/// <summary>Both ends of the raw ceiling, programs of their own in a node. Plain sockets with the two options of the kernel.</summary>
internal static class RawPeer
{
    private const int Port = 9000;
    private const int Segment = 1452;
    private const int Train = Segment * 44;
    private const int UdpLevel = 17, SegmentOption = 103, JoinOption = 104;
    private const int BufferLength = 8 << 20;
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(1);

    public static int Send(string address, string seconds)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { SendBufferSize = BufferLength };
        socket.Connect(IPAddress.Parse(address), Port);
        socket.SetRawSocketOption(UdpLevel, SegmentOption, BitConverter.GetBytes(Segment));
        byte[] train = new byte[Train];
        TimeSpan time = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
            socket.Send(train);
        return 0;
    }

    public static int Receive(string address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = BufferLength };
        socket.SetRawSocketOption(UdpLevel, JoinOption, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), Port));
        Console.WriteLine("ready");
        byte[] buffer = new byte[1 << 16];
        long bytes = 0, first = 0, last = 0;
        try
        {
            while (true)
            {
                bytes += socket.Receive(buffer);
                last = Stopwatch.GetTimestamp();
                if (first == 0)
                    (first, socket.ReceiveTimeout) = (last, (int)s_silence.TotalMilliseconds);
            }
        }
        catch (SocketException silence) when (silence.SocketErrorCode == SocketError.TimedOut)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"bytes":{{bytes}},"seconds":{{Stopwatch.GetElapsedTime(first, last).TotalSeconds}}}"""));
        }

        return 0;
    }
}
