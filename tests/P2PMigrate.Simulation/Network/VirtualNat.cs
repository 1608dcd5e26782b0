using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Simulation.Network;

/// <summary>
/// A NAT, or a mere firewall, with one outside address, as pure rules: a source for what goes out, an inside address for what
/// comes in. Terms after RFC 4787.
/// </summary>
public sealed class VirtualNat
{
    private readonly SeededGenerator _generator;
    private readonly Dictionary<(NetworkAddress Inside, NetworkAddress Destination), Mapping> _mappings = [];
    private readonly Dictionary<ushort, List<Mapping>> _byPort = [];
    private readonly Dictionary<(ushort Port, NetworkAddress Remote), Instant> _takenByItself = [];
    private readonly Dictionary<(ushort Port, NetworkAddress Remote), Instant> _refused = [];
    private int _sequence;
    private Instant _sequenceAt;

    /// <summary>Behaves as told, in front of one network.</summary>
    public VirtualNat(NatBehaviour behaviour, NetworkAddress outside, SeededGenerator generator)
    {
        (Behaviour, Outside, _generator) = (behaviour, outside, generator);
        _sequence = generator.Between(2_000, 60_000);
    }

    public NatBehaviour Behaviour { get; }

    /// <summary>The address outside; its port means nothing.</summary>
    public NetworkAddress Outside { get; }

    /// <summary>Mappings that were made so far.</summary>
    public int Made { get; private set; }

    /// <summary>Something leaves: its source as the outside sees it.</summary>
    public NetworkAddress Out(Instant now, NetworkAddress inside, NetworkAddress destination)
    {
        Mapping mapping = FindOrMake(now, inside, destination);
        mapping.UsedAt = now;
        mapping.SentTo.Add(destination);
        return Behaviour.IsTransparent ? inside : Outside.WithPort(mapping.Port);
    }

    /// <summary>Something comes to an outside port: for whom inside, or null.</summary>
    public NetworkAddress? In(Instant now, NetworkAddress source, NetworkAddress destination)
    {
        if (Behaviour.IsTransparent && Behaviour.Filtering == NatFiltering.EndpointIndependent)
            return destination;
        Mapping? mapping = Live(now, destination.Port).FirstOrDefault(mapping =>
            (!Behaviour.IsTransparent || mapping.Inside == destination) && LetsIn(mapping, source));
        if (Behaviour.IsGrudging && _refused.TryGetValue((destination.Port, source), out Instant since) && now - since < Behaviour.Lifetime)
            return null;
        if (mapping is null)
        {
            if (Behaviour.IsGrudging)
                _refused[(destination.Port, source)] = now;
            if (Behaviour.IsLeaky)
                _takenByItself[(destination.Port, source)] = now;
            return null;
        }

        mapping.UsedAt = now;
        return mapping.Inside;
    }

    private bool LetsIn(Mapping mapping, NetworkAddress source) => Behaviour.Filtering switch
    {
        NatFiltering.EndpointIndependent => true,
        NatFiltering.AddressDependent => mapping.SentTo.Any(source.HasSameHost),
        _ => mapping.SentTo.Contains(source),
    };

    private Mapping FindOrMake(Instant now, NetworkAddress inside, NetworkAddress destination)
    {
        // What the router itself has taken in belongs to it: only that destination sees another port.
        if (_mappings.TryGetValue((inside, destination), out Mapping? odd) && IsLive(now, odd))
            return odd;
        NetworkAddress key = Behaviour.Mapping switch
        {
            NatMapping.EndpointIndependent => default,
            NatMapping.AddressDependent => destination.WithPort(0),
            _ => destination,
        };
        if (!_mappings.TryGetValue((inside, key), out Mapping? mapping) || !IsLive(now, mapping))
            mapping = Make(now, inside, key, NewPort(now, inside, key));
        bool isTaken = Behaviour.IsLeaky && _takenByItself.TryGetValue((mapping.Port, destination), out Instant at) && now - at < Behaviour.Lifetime;
        return isTaken && !mapping.SentTo.Contains(destination)
            ? Make(now, inside, destination, RandomPort(PortRange, inside, destination, now)) : mapping;
    }

    private Mapping Make(Instant now, NetworkAddress inside, NetworkAddress key, ushort port)
    {
        Made++;
        var mapping = new Mapping(inside, key, port) { UsedAt = now };
        _mappings[(inside, key)] = mapping;
        if (!_byPort.TryGetValue(port, out List<Mapping>? users))
            _byPort.Add(port, users = []);
        users.Add(mapping);
        return mapping;
    }

    private ushort NewPort(Instant now, NetworkAddress inside, NetworkAddress key)
    {
        if (Behaviour.IsTransparent)
            return inside.Port;
        switch (Behaviour.Allocation)
        {
            case PortAllocation.Preserving when IsFree(now, inside.Port, key):
                return inside.Port;
            case PortAllocation.Sequential:
                return NextInSequence(now, key);
            case PortAllocation.Block:
                return RandomPort(Behaviour.Block, inside, key, now);
            default:
                return RandomPort(PortRange, inside, key, now);
        }
    }

    private static (ushort, ushort) PortRange => (1024, ushort.MaxValue);

    private ushort NextInSequence(Instant now, NetworkAddress key)
    {
        // Others take some meanwhile.
        double others = (now - _sequenceAt).TotalSeconds * Behaviour.PortsTakenPerSecond;
        int taken = (int)others + (_generator.Chance(others - (int)others) ? 1 : 0);
        _sequenceAt = now;
        _sequence += taken * Behaviour.Step;
        do
            _sequence = Wrap(_sequence + Behaviour.Step);
        while (!IsFree(now, (ushort)_sequence, key));
        return (ushort)_sequence;
    }

    private static int Wrap(int port) => 1024 + (((port - 1024) % 64_512) + 64_512) % 64_512;

    private ushort RandomPort((ushort Low, ushort High) range, NetworkAddress inside, NetworkAddress key, Instant now)
    {
        for (int attempt = 0; attempt < 10_000; attempt++)
        {
            ushort port = (ushort)_generator.Between(range.Low, range.High + 1);
            if (IsFree(now, port, key))
                return port;
        }

        throw new InvalidOperationException($"The NAT has no port for {inside}.");
    }

    // A port may serve several mappings as long as their destinations tell apart what comes in.
    private bool IsFree(Instant now, ushort port, NetworkAddress key) =>
        !_takenByItself.ContainsKey((port, key)) && Live(now, port).All(other => !key.IsNone && !other.Key.IsNone && other.Key != key);

    private IEnumerable<Mapping> Live(Instant now, ushort port) =>
        _byPort.TryGetValue(port, out List<Mapping>? users) ? users.Where(mapping => IsLive(now, mapping)) : [];

    private bool IsLive(Instant now, Mapping mapping) => now - mapping.UsedAt < Behaviour.Lifetime;

    /// <summary>One outside port for one inside address, for all destinations or for one host or one address.</summary>
    private sealed class Mapping(NetworkAddress inside, NetworkAddress key, ushort port)
    {
        public NetworkAddress Inside { get; } = inside;

        public NetworkAddress Key { get; } = key;

        public ushort Port { get; } = port;

        public Instant UsedAt { get; set; }

        public HashSet<NetworkAddress> SentTo { get; } = [];
    }
}
