using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>
/// A peer with the right keys and no manners: seals whatever bytes a test wants, and opens what the connection answers.
/// </summary>
internal sealed class ForgingPeer : IDisposable
{
    public static readonly PathAddress Here = new(LocalInterface.Socket(0), NetworkAddress.FromBytes([192, 0, 2, 1], 1000));
    public static readonly PathAddress Elsewhere = new(LocalInterface.Socket(0), NetworkAddress.FromBytes([192, 0, 2, 9], 9000));

    private static readonly ConnectionId s_mine = new(1);
    private static readonly ConnectionId s_theirs = new(2);

    private readonly PacketKeys _keys;
    private readonly PacketKeys _nextKeys;
    private readonly PacketKeys _laterKeys;
    private readonly ulong[] _nextNumber = new ulong[256];
    private readonly byte[] _buffer = new byte[TunnelConnection.MaxDatagramSize];

    public ForgingPeer(TransportParameters? parameters = null, KeyUpdateOptions? keyUpdate = null, ProbeBudget? probing = null)
    {
        byte[] up = [.. Enumerable.Repeat((byte)1, KeySchedule.SecretSize)];
        byte[] down = [.. Enumerable.Repeat((byte)2, KeySchedule.SecretSize)];
        using KeySchedule own = new(ProtectionSuite.ChaCha20Poly1305, up, down);
        _keys = own.Next();
        _nextKeys = own.Next();
        _laterKeys = own.Next();
        Connection = new(
            new TunnelConnectionOptions
            {
                Role = ConnectionRole.Responder,
                Keys = new KeySchedule(ProtectionSuite.ChaCha20Poly1305, down, up),
                LocalConnectionId = s_theirs,
                RemoteConnectionId = s_mine,
                Entropy = new SeededEntropy(1),
                LocalParameters = parameters ?? new(),
                KeyUpdate = keyUpdate ?? new(),
                Probing = probing ?? new(),
                KnownPaths = [new(Here, IsRemoteProven: true)],
            },
            Now);
        Drain();
    }

    /// <summary>The connection under test.</summary>
    public TunnelConnection Connection { get; }

    public Instant Now { get; set; } = new(1_000_000_000);

    /// <summary>The code with which the connection ended, if it did.</summary>
    public ulong? Error => Connection.CloseReason?.Code;

    /// <summary>Seals frames into a packet.</summary>
    public byte[] Seal(byte label, ReadOnlySpan<byte> frames, ulong? number = null, ConnectionId? destination = null)
    {
        ulong packetNumber = number ?? _nextNumber[label]++;
        byte[] datagram = new byte[PacketHeader.Size + frames.Length + _keys.Sealer.TagLength];
        new PacketHeader(KeyPhase: false, label, (uint)packetNumber, destination ?? s_theirs).Write(datagram);
        _keys.Sealer.Seal(label, packetNumber, datagram.AsSpan(0, PacketHeader.Size), frames, datagram.AsSpan(PacketHeader.Size));
        return datagram;
    }

    /// <summary>Seals frames under the keys of epoch 1.</summary>
    public byte[] SealInNextEpoch(byte label, ReadOnlySpan<byte> frames) => SealInEpoch(_nextKeys, keyPhase: true, label, frames);

    /// <summary>Seals frames under the keys of epoch 2, whose key phase is that of epoch 0.</summary>
    public byte[] SealInLaterEpoch(byte label, ReadOnlySpan<byte> frames) => SealInEpoch(_laterKeys, keyPhase: false, label, frames);

    private byte[] SealInEpoch(PacketKeys keys, bool keyPhase, byte label, ReadOnlySpan<byte> frames)
    {
        ulong number = _nextNumber[label]++;
        byte[] datagram = new byte[PacketHeader.Size + frames.Length + keys.Sealer.TagLength];
        new PacketHeader(keyPhase, label, (uint)number, s_theirs).Write(datagram);
        keys.Sealer.Seal(label, number, datagram.AsSpan(0, PacketHeader.Size), frames, datagram.AsSpan(PacketHeader.Size));
        return datagram;
    }

    /// <summary>Seals other frames under a number that was used before, as only a peer without shame does.</summary>
    public static byte[] SealAgain(byte label, ReadOnlySpan<byte> frames, ulong number)
    {
        using ForgingPeer twin = new();
        return twin.Seal(label, frames, number);
    }

    /// <summary>Sends frames in a packet of their own.</summary>
    public void Send(byte label, ReadOnlySpan<byte> frames, PathAddress? from = null) => Deliver(Seal(label, frames), from);

    /// <summary>Sends frames given as hexadecimal digits under label 1.</summary>
    public void Send(string hex) => Send(1, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

    public void Deliver(ReadOnlySpan<byte> datagram, PathAddress? from = null) => Connection.HandleDatagram(Now, from ?? Here, datagram);

    /// <summary>The largest packet number that the connection used under label 1.</summary>
    public ulong? LargestUnderLabel1 { get; private set; }

    /// <summary>Acknowledges every number under label 1 up to this one, whether it was ever sent or not.</summary>
    public void AcknowledgeUpTo(ulong largest) => Acknowledge(1, new PacketRange(0, largest));

    /// <summary>Acknowledges one number under label 1, in a packet of another label.</summary>
    public void Acknowledge(byte carrier, ulong number) => Acknowledge(carrier, new PacketRange(number, number));

    private void Acknowledge(byte carrier, PacketRange range)
    {
        byte[] frame = new byte[32];
        WireWriter writer = new(frame);
        AckFrame.TryWrite(ref writer, 1, TimeSpan.Zero, [range]);
        Send(carrier, frame.AsSpan(0, writer.Written));
    }

    /// <summary>Takes everything the connection wants to send, opened.</summary>
    public List<(PathAddress To, byte Label, byte[] Frames, int Length)> Drain()
    {
        List<(PathAddress, byte, byte[], int)> packets = [];
        while (Connection.TryPollTransmit(Now, _buffer, out Transmit transmit))
        {
            ReadOnlySpan<byte> datagram = _buffer.AsSpan(0, transmit.Length);
            Assert.True(PacketHeader.TryParse(datagram, out PacketHeader header, out _));
            byte[] plaintext = new byte[datagram.Length - PacketHeader.Size - _keys.Opener.TagLength];
            Assert.True(_keys.Opener.TryOpen(header.PathId, header.PacketNumberLow, datagram[..PacketHeader.Size], datagram[PacketHeader.Size..], plaintext));
            LargestUnderLabel1 = header.PathId == 1 ? header.PacketNumberLow : LargestUnderLabel1;
            packets.Add((transmit.Path, header.PathId, plaintext, transmit.Length));
        }

        return packets;
    }

    public void Dispose()
    {
        Connection.Dispose();
        _keys.Dispose();
        _nextKeys.Dispose();
        _laterKeys.Dispose();
    }
}
