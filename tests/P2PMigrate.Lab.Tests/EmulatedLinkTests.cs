using System.Diagnostics;
using P2PMigrate.Lab.Links;

namespace P2PMigrate.Lab.Tests;

/// <summary>An emulated link between two bare nodes does what it was told; only what no machine can be too slow for is asserted.</summary>
public sealed class EmulatedLinkTests
{
    private static readonly IPEndPoint s_far = new(IPAddress.Parse("10.77.0.2"), 9);

    [Fact]
    public async Task A_link_delays_each_way()
    {
        await using Fixture link = await Fixture.RaiseAsync("delay=30ms");
        long start = Stopwatch.GetTimestamp();
        await link.Near.SendToAsync("ping"u8.ToArray(), s_far, link.Token);
        byte[] buffer = new byte[100];
        SocketReceiveFromResult came = await link.Far.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), link.Token);
        await link.Far.SendToAsync("pong"u8.ToArray(), came.RemoteEndPoint, link.Token);
        await link.Near.ReceiveAsync(buffer, link.Token);
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(60));
    }

    [Fact]
    public async Task A_link_loses_its_share_and_counts_what_it_lost()
    {
        await using Fixture link = await Fixture.RaiseAsync("loss=20%");
        const int sent = 2_000;
        for (int i = 0; i < sent; i++)
            await link.Near.SendToAsync(new byte[100], s_far, link.Token);
        LinkCounts counts = await link.SettledAsync(sent);
        Assert.InRange(counts.Lost, sent * 0.16, sent * 0.24);
        Assert.Equal(counts.Sent, counts.Lost + counts.Delivered);
    }

    [Fact]
    public async Task A_link_lets_through_no_more_than_its_rate_and_drops_what_its_queue_does_not_hold()
    {
        await using Fixture link = await Fixture.RaiseAsync("rate=8mbit queue=100kb");
        const int sent = 400;
        for (int i = 0; i < sent; i++)
            await link.Near.SendToAsync(new byte[972], s_far, link.Token); // 1 000 bytes with its headers: 1 ms each.
        LinkCounts counts = await link.SettledAsync(sent);
        Assert.True(counts.Dropped > 0, $"{counts}");
        Assert.Equal(counts.Sent, counts.Dropped + counts.Delivered);
    }

    [Fact]
    public async Task A_running_link_can_be_changed()
    {
        await using Fixture link = await Fixture.RaiseAsync("mtu=1500");
        byte[] buffer = new byte[2_000];
        await link.Near.SendToAsync(new byte[1_400], s_far, link.Token);
        Assert.Equal(1_400, await link.Far.ReceiveAsync(buffer, link.Token));

        await link.Link.ChangeAsync("mtu=1200");
        await link.Near.SendToAsync(new byte[1_400], s_far, link.Token);
        await link.Near.SendToAsync(new byte[1_000], s_far, link.Token);
        Assert.Equal(1_000, await link.Far.ReceiveAsync(buffer, link.Token));

        await link.Link.SetUpAsync(false);
        await link.Near.SendToAsync(new byte[10], s_far, link.Token);
        await link.SettledAsync(4);
        await link.Link.SetUpAsync(true);
        await link.Near.SendToAsync(new byte[20], s_far, link.Token);
        Assert.Equal(20, await link.Far.ReceiveAsync(buffer, link.Token));
        await Assert.ThrowsAsync<LabException>(() => link.Link.ChangeAsync("colour=blue"));
    }

    /// <summary>A lab with one link and a socket at each end.</summary>
    private sealed class Fixture : IAsyncDisposable
    {
        private readonly BareLab _lab;
        private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));

        private Fixture(BareLab lab, EmulatedLink link)
        {
            (_lab, Link) = (lab, link);
            Near = lab["near"].OpenSocket(SocketType.Dgram, ProtocolType.Udp);
            Far = lab["far"].OpenSocket(SocketType.Dgram, ProtocolType.Udp);
            Near.Bind(new IPEndPoint(IPAddress.Parse("10.77.0.1"), 0));
            Far.Bind(s_far);
        }

        public EmulatedLink Link { get; }

        public Socket Near { get; }

        public Socket Far { get; }

        public CancellationToken Token => _limit.Token;

        public static async Task<Fixture> RaiseAsync(string faults)
        {
            Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
            BareLab lab = await BareLab.RaiseAsync(null, ["near", "far", "link"]);
            try
            {
                return new Fixture(lab, await EmulatedLink.RaiseAsync(
                    lab["link"], lab["near"], lab["far"], "link0", "10.77.0.1/24", "10.77.0.2/24", faults));
            }
            catch
            {
                await lab.DisposeAsync();
                throw;
            }
        }

        /// <summary>The near end's figures once so many packets went in and none is under way any more.</summary>
        public async Task<LinkCounts> SettledAsync(int sent)
        {
            while (true)
            {
                LinkCounts counts = (await Link.CountsAsync(Token)).Near;
                if (counts.Sent >= sent && counts.Sent == counts.Delivered + counts.Lost + counts.Dropped + counts.Refused)
                    return counts;
                await Task.Delay(5, Token);
            }
        }

        public async ValueTask DisposeAsync()
        {
            Near.Dispose();
            Far.Dispose();
            await Link.DisposeAsync();
            await _lab.DisposeAsync();
            _limit.Dispose();
        }
    }
}
