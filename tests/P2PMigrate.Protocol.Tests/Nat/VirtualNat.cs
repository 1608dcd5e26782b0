using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Nat;

/// <summary>A NAT of any behaviour with one inside host and one outside address. Its port allocator is the test's: count of mappings so far and inside port give the outside one.</summary>
internal sealed class VirtualNat(NatMapping mapping, NatFiltering filtering, Func<int, ushort, int> allocate, bool hairpins = false)
{
    private readonly List<Binding> _bindings = [];

    public NetworkAddress Outside { get; } = NetworkAddress.FromBytes([203, 0, 113, 7], 1);

    /// <summary>A datagram goes out: from where does the world see it come?</summary>
    public NetworkAddress Out(ushort inside, NetworkAddress to)
    {
        NetworkAddress key = mapping switch
        {
            NatMapping.EndpointIndependent => default,
            NatMapping.AddressDependent => to.WithPort(0),
            _ => to,
        };
        Binding? binding = _bindings.Find(known => known.Inside == inside && known.Key == key);
        if (binding is null)
        {
            binding = new Binding(inside, key, (ushort)allocate(_bindings.Count, inside));
            _bindings.Add(binding);
        }

        binding.SentTo.Add(to);
        return Outside.WithPort(binding.Port);
    }

    /// <summary>A datagram comes to an outside port: to which inside port does it go?</summary>
    public bool TryIn(NetworkAddress from, ushort port, out ushort inside)
    {
        Binding? binding = _bindings.Find(known => known.Port == port && (from.HasSameHost(Outside) ? hairpins : Passes(known, from)));
        inside = binding?.Inside ?? 0;
        return binding is not null;
    }

    private bool Passes(Binding binding, NetworkAddress from) => filtering switch
    {
        NatFiltering.EndpointIndependent => true,
        NatFiltering.AddressDependent => binding.SentTo.Any(to => to.HasSameHost(from)),
        _ => binding.SentTo.Contains(from),
    };

    private sealed record Binding(ushort Inside, NetworkAddress Key, ushort Port)
    {
        public HashSet<NetworkAddress> SentTo { get; } = [];
    }
}
