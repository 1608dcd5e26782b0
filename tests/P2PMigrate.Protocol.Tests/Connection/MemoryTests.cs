using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>What sessions keep in memory: the collected heap, without the pages in which libsodium keeps keys.</summary>
public sealed class MemoryTests(ITestOutputHelper output)
{
    [Fact]
    public void An_idle_session_keeps_less_than_64_KiB()
    {
        const int Pairs = 200;
        BackToBack[] pairs = new BackToBack[Pairs];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Pairs; i++)
        {
            pairs[i] = new();
            pairs[i].Transfer(pairs[i].OpenBulk(), 100_000);
            pairs[i].Idle(TimeSpan.FromSeconds(5));
        }

        long perSession = (GC.GetTotalMemory(forceFullCollection: true) - before) / (2 * Pairs) - BackToBack.OwnMemory / 2;
        output.WriteLine($"{perSession} bytes for each session");
        foreach (BackToBack pair in pairs)
            pair.Dispose();
        Assert.InRange(perSession, 1, 64 << 10);
    }

    [Fact]
    public void A_full_window_of_64_MB_keeps_less_than_100_MB_at_both_ends_together()
    {
        const int Window = 64 << 20;
        TransportParameters parameters = new() { Bulk = new(StreamWindow: Window, ClassWindow: Window, Streams: 4) };
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using BackToBack pair = new(change: options => options with { LocalParameters = parameters, PeerParameters = parameters }) { MaxDatagrams = 50 };
        StreamId id = pair.OpenBulk();
        pair.Fill(id, Window);

        long kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine($"{kept / 1e6:F1} MB at both ends");
        Assert.InRange(kept, Window, 100_000_000);
    }
}
