using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>A session whose peer has the keys and no manners, and scripts of what two applications do to their streams.</summary>
internal static class SessionTargets
{
    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("session-packets", RunPackets, PacketSeeds),
        new("session-datagram", RunDatagram, () => [Convert.FromHexString("400100000000000002000000000000000800000161")]) { MaxLength = 1600 },
        new("stream-script", script => new StreamScript(script).Run(), ScriptSeeds) { MaxLength = 1024 },
        new("transport-parameters", bytes => TransportParameters.TryDecode(bytes, out _), ParameterSeeds) { MaxLength = 300 },
    ];

    public static readonly PathAddress Here = new(LocalInterface.Socket(0), NetworkAddress.FromBytes([192, 0, 2, 1], 1000));

    /// <summary>One side of a session.</summary>
    public static TunnelConnection Create(
        ConnectionRole role, Instant now, TransportParameters? parameters = null, CongestionControl control = CongestionControl.Bbr) => new(
        new TunnelConnectionOptions
        {
            Role = role,
            Keys = new OpenKeys(),
            LocalConnectionId = new(2 - (ulong)role),
            RemoteConnectionId = new((ulong)role + 1),
            Entropy = new SeededEntropy((int)role),
            LocalParameters = parameters ?? new(),
            PeerParameters = parameters ?? new(),
            Recovery = new RecoveryOptions { DirectPaths = control },
            KnownPaths = [new(Here, IsRemoteProven: true)],
        },
        now);

    // Each packet: label and flags, length, frames.
    private static void RunPackets(byte[] input) => new PacketScript(input).Run();

    private static void RunDatagram(byte[] input)
    {
        using TunnelConnection connection = Create(ConnectionRole.Responder, new Instant(1_000_000_000));
        connection.HandleDatagram(new Instant(1_000_000_001), Here, input);
    }

    private static IEnumerable<byte[]> PacketSeeds()
    {
        string[] frames =
        [
            "01", "0800000161", "09000005", "0800000261620801010163", "020100000000", "0301000a", "040100", "0502407f", "060044b0", "07024100", "0a0361626308000161",
            "120101040a0000010500", "1f0000", "10000000000000000000", "0810000161", "0904800000100161",
        ];
        foreach (string hex in frames)
        {
            byte[] bytes = Convert.FromHexString(hex);
            byte label = bytes[0] is 0x10 or 0x11 ? (byte)0 : (byte)1;
            yield return [label, (byte)bytes.Length, .. bytes];
            yield return [label, (byte)bytes.Length, .. bytes, (byte)(label | 0x40), (byte)bytes.Length, .. bytes, (byte)(label | 0x20), 1, 1];
        }
    }

    private static IEnumerable<byte[]> ScriptSeeds()
    {
        yield return [0x00, 2, 0x01, 200, 0x0C, 0, 0x02, 0x80, 0x03, 0, 0x0C, 0];
        yield return [0x00, 1, 0x80, 0, 0x01, 90, 0x06, 0, 0x07, 0, 0x0D, 0, 0x0E, 0, 0x08, 30, 0x0C, 0, 0x04, 3, 0x05, 0x81, 0x09, 40, 0x0A, 5, 0x0B, 2];
    }

    private static IEnumerable<byte[]> ParameterSeeds()
    {
        byte[] bytes = new byte[TransportParameters.MaxEncodedLength];
        int length = new TransportParameters().Encode(bytes);
        return [bytes[..length]];
    }
}
