using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>Two connections back to back, with real keys: what a packet costs in memory.</summary>
public sealed class AllocationTests
{
    private static readonly PathAddress s_path = new(LocalInterface.Socket(0), NetworkAddress.FromBytes([192, 0, 2, 1], 1000));

    private readonly byte[] _data = new byte[64 << 10];
    private readonly byte[] _datagram = new byte[TunnelConnection.MaxDatagramSize];
    private Instant _now = new(1_000_000_000);

    [Fact]
    public void A_packet_allocates_nothing_in_steady_state()
    {
        using TunnelConnection sender = Create(ConnectionRole.Initiator);
        using TunnelConnection receiver = Create(ConnectionRole.Responder);
        Assert.True(sender.TryOpenStream(StreamClass.Bulk, out StreamId id));
        Transfer(sender, receiver, id, 30_000_000);
        long packets = sender.Statistics.DatagramsSent;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Transfer(sender, receiver, id, 30_000_000);
        long perPacket = (GC.GetAllocatedBytesForCurrentThread() - before) / (sender.Statistics.DatagramsSent - packets);
        Assert.Equal(0, perPacket);
    }

    private void Transfer(TunnelConnection sender, TunnelConnection receiver, StreamId id, long length)
    {
        long written = 0, read = 0;
        while (read < length)
        {
            written += sender.Write(id, _data.AsSpan(0, (int)Math.Min(_data.Length, length - written))).Count;
            Carry(sender, receiver);
            read += receiver.Read(id, _data).Count;
            while (receiver.TryPollEvent(out _))
            {
            }

            _now += TimeSpan.FromMilliseconds(1);
            Carry(receiver, sender);
            while (sender.TryPollEvent(out _))
            {
            }

            sender.HandleTimeout(_now);
            receiver.HandleTimeout(_now);
        }
    }

    private void Carry(TunnelConnection from, TunnelConnection to)
    {
        while (from.TryPollTransmit(_now, _datagram, out Transmit transmit))
            to.HandleDatagram(_now, s_path, _datagram.AsSpan(0, transmit.Length));
    }

    private TunnelConnection Create(ConnectionRole role)
    {
        byte[][] secrets = [[.. Enumerable.Repeat((byte)1, KeySchedule.SecretSize)], [.. Enumerable.Repeat((byte)2, KeySchedule.SecretSize)]];
        return new(
            new TunnelConnectionOptions
            {
                Role = role,
                Keys = new KeySchedule(ProtectionSuite.ChaCha20Poly1305, secrets[(int)role], secrets[1 - (int)role]),
                LocalConnectionId = new((ulong)role + 1),
                RemoteConnectionId = new(2 - (ulong)role),
                Entropy = new SeededEntropy((int)role),
                KnownPaths = [new(s_path, IsRemoteProven: true)],
            },
            _now);
    }
}
