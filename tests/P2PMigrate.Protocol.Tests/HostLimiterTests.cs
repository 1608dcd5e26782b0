using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests;

public sealed class HostLimiterTests
{
    private readonly Instant _start = new(1_000_000_000);

    [Fact]
    public void A_host_has_its_rate_whatever_its_ports_and_of_IPv6_whatever_it_calls_itself_in_its_network()
    {
        var limiter = new HostLimiter(ratePerSecond: 1, burst: 2, capacity: 10, HostShares.Usual);

        Assert.True(limiter.TryTake(_start, Address("192.0.2.1:1")));
        Assert.True(limiter.TryTake(_start, Address("192.0.2.1:2")));
        Assert.False(limiter.TryTake(_start, Address("192.0.2.1:3")));
        Assert.True(limiter.TryTake(_start, Address("192.0.2.2:3")));
        Assert.True(limiter.TryTake(_start, Address("[2001:db8::1]:1")));
        Assert.True(limiter.TryTake(_start, Address("[2001:db8::2]:1")));
        Assert.False(limiter.TryTake(_start, Address("[2001:db8::3]:1")));
        Assert.True(limiter.TryTake(_start, Address("[2001:db8:0:1::3]:1")));
        Assert.True(limiter.TryTake(_start + TimeSpan.FromSeconds(1), Address("192.0.2.1:3")));
    }

    [Fact]
    [Trait("Spec", "RDV-51")]
    public void A_site_of_IPv6_has_the_rate_of_four_hosts_however_many_it_makes_up()
    {
        var limiter = new HostLimiter(ratePerSecond: 1, burst: 1, capacity: 1000, HostShares.Usual);

        int ofSite = Enumerable.Range(0, 100).Count(host => limiter.TryTake(_start, Address($"[2001:db8:7:{host:x}::1]:1")));
        int ofIPv4 = Enumerable.Range(0, 100).Count(host => limiter.TryTake(_start, Address($"192.0.2.{host}:1"))); // who is one site there, nobody can tell

        Assert.Equal((4, 100), (ofSite, ofIPv4));
        Assert.True(limiter.TryTake(_start, Address("[2001:db8:8::1]:1")));
        Assert.True(limiter.TryTake(_start + TimeSpan.FromSeconds(1), Address("[2001:db8:7:1::1]:1")));
    }

    [Fact]
    [Trait("Spec", "RDV-51")]
    public void Things_are_counted_by_host_and_by_site_and_given_back()
    {
        var counts = new HostCounts(maxPerHost: 2, max: 1000, HostShares.Usual);
        NetworkAddress[] hosts = [.. Enumerable.Range(0, 5).Select(host => Address($"[2001:db8:7:{host:x}::1]:1"))];
        foreach (NetworkAddress host in hosts[..4])
        {
            counts.Add(host);
            Assert.True(counts.HasRoom(host));
            counts.Add(host);
            Assert.False(counts.HasRoom(host));
        }

        Assert.False(counts.HasRoom(hosts[4]));
        Assert.False(counts.HasRoom(NetworkAddress.ForStream(hosts[4], 7))); // the same by TLS
        counts.Remove(hosts[0]);
        Assert.True(counts.HasRoom(hosts[4]));
        Assert.True(counts.HasRoom(Address("[2001:db8:7:100::1]:1")));
    }

    [Fact]
    [Trait("Spec", "RDV-51")]
    public void Sixty_four_customers_of_a_carrier_that_are_in_one_network_of_48_bits_are_not_in_each_others_way()
    {
        var limiter = new HostLimiter(ratePerSecond: 1, burst: 1, capacity: 1000, HostShares.Usual);
        var counts = new HostCounts(maxPerHost: 1, max: 1000, HostShares.Usual);
        NetworkAddress[] customers = [.. Enumerable.Range(0, 100).Select(site => Address($"[2001:db8:7:{site:x}00::1]:1"))];

        int served = customers.Count(customer => limiter.TryTake(_start, customer));
        int placed = customers.Count(customer => TryAdd(counts, customer));

        Assert.Equal((64, 64), (served, placed));
        Assert.True(limiter.TryTake(_start, Address("[2001:db8:8::1]:1")));
        Assert.True(counts.HasRoom(Address("[2001:db8:8::1]:1")));
        counts.Remove(customers[0]);
        Assert.True(counts.HasRoom(customers[99]));
    }

    [Fact]
    [Trait("Spec", "RDV-51")]
    public void One_network_of_48_bits_has_no_more_than_half_of_what_is_counted()
    {
        var counts = new HostCounts(maxPerHost: 4, max: 100, HostShares.Usual);

        int placed = Enumerable.Range(0, 100).Count(site => TryAdd(counts, Address($"[2001:db8:7:{site:x}00::1]:1")));

        Assert.Equal(50, placed);
    }

    [Fact]
    public void A_full_table_lets_new_hosts_in_when_others_have_recovered_and_looks_for_them_once_a_second()
    {
        var limiter = new HostLimiter(ratePerSecond: 1, burst: 1, capacity: 2, HostShares.Usual);
        Assert.True(limiter.TryTake(_start, Address("192.0.2.1:1")));
        Assert.True(limiter.TryTake(_start, Address("192.0.2.2:1")));
        Assert.False(limiter.TryTake(_start + TimeSpan.FromSeconds(0.9), Address("192.0.2.3:1"))); // nobody has recovered
        Assert.False(limiter.TryTake(_start + TimeSpan.FromSeconds(1.1), Address("192.0.2.3:1"))); // nobody looked
        Assert.True(limiter.TryTake(_start + TimeSpan.FromSeconds(2), Address("192.0.2.3:1")));
    }

    private static bool TryAdd(HostCounts counts, NetworkAddress source)
    {
        if (!counts.HasRoom(source))
            return false;
        counts.Add(source);
        return true;
    }

    private static NetworkAddress Address(string text) => NetworkAddress.TryParse(text, out NetworkAddress address) ? address : throw new ArgumentException(text);
}
