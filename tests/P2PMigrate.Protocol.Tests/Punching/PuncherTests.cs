using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Punching;

public sealed class PuncherTests
{
    private const int PortsOfWalk = 160, ProbesOfWalk = 2 * PortsOfWalk;
    private static readonly NatProfile s_counting = new()
    {
        Mapping = NatMapping.AddressAndPortDependent,
        Filtering = NatFiltering.AddressAndPortDependent,
        Allocation = PortAllocation.Sequential,
        Step = 1,
    };

    private readonly Puncher _puncher = new(
        new TunnelConnectionOptions
        {
            Role = ConnectionRole.Initiator,
            Keys = new KeySchedule(ProtectionSuite.ChaCha20Poly1305, new byte[32], new byte[32]),
            LocalConnectionId = new(1),
            RemoteConnectionId = new(2),
            Entropy = new SeededEntropy(1),
            LocalNat = s_counting,
            RemoteNat = WithNewest(2000),
            Punching = new PunchBudget(),
        });

    private Instant _now = new(1_000_000_000);

    public PuncherTests() => _puncher.Vouch(Address(2000));

    [Theory]
    [Trait("Spec", "PATH-73")]
    [InlineData(-1, 2000 + 3 * PortsOfWalk + 1)]
    [InlineData(0, 30_000 + 3 * PortsOfWalk + 1)]
    [InlineData(ProbesOfWalk + 1, 30_000 + PortsOfWalk + 1)]
    [InlineData(3 * ProbesOfWalk, 30_000 + 1)]
    public void Walks_count_from_the_newest_port_that_was_seen_though_it_was_seen_in_the_midst_of_an_attempt(int probesBefore, int firstPort)
    {
        Assert.Equal(2001, Attempt(probesBefore));

        Assert.Equal(firstPort, Attempt());
    }

    // A busy machine wakes a program every 10 ms or less often: with a pause after each probe it sent 60 to 200 a second.
    [Theory]
    [Trait("Spec", "PATH-86")]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(40)]
    public void An_attempt_sends_a_thousand_probes_a_second_however_seldom_it_is_woken(int milliseconds)
    {
        Instant begun = _now;
        Assert.True(_puncher.TryBegin(_now));
        int sent = 0;
        for (; _now - begun <= TimeSpan.FromMilliseconds(120); _now += TimeSpan.FromMilliseconds(milliseconds))
        {
            while (_puncher.NextAt <= _now && _puncher.TryNext(_now, out _, out _))
                sent++;
        }

        Assert.Equal(121, sent);
    }

    // Returns the port of the first probe.
    private int Attempt(int probesBeforeNews = -1)
    {
        Assert.True(_puncher.TryBegin(_now));
        List<int> ports = [];
        while (!_puncher.IsOver)
        {
            if (ports.Count == probesBeforeNews)
                _puncher.Remote = WithNewest(30_000);
            _now = Instant.Max(_now, _puncher.NextAt);
            if (_puncher.TryNext(_now, out PathAddress path, out _))
                ports.Add(path.Remote.Port);
        }

        Assert.Equal(3 * ProbesOfWalk, ports.Count);
        return ports[0];
    }

    private static NatProfile WithNewest(ushort port) => s_counting with { Newest = Address(port) };

    private static NetworkAddress Address(ushort port) =>
        NetworkAddress.TryParse($"203.0.113.5:{port}", out NetworkAddress address) ? address : throw new ArgumentException("A port.");
}
