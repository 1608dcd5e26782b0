using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.Demo;

/// <summary>Asks redis, the client and both runtimes, and says for each claim what was seen.</summary>
internal sealed class DemoProof(DemoOptions options, Stage stage)
{
    private bool _holds = true;

    public async Task<bool> CheckAsync(VirtualLab lab, RedisContainer redis, RedisFacts before, CounterReport counter, JsonElement completed)
    {
        RedisFacts after = redis.Facts(redis.TargetDoor, options.Keys);
        string[] source = await ContainersAsync(lab.Source).ConfigureAwait(false);
        string[] target = await ContainersAsync(lab.Target).ConfigureAwait(false);
        string path = completed.GetProperty("path").GetString()!;
        string expectedPath = options.Nat == NatKind.Symmetric ? "relay" : "direct";

        Claim("same process", before.RunId == after.RunId, $"run id {before.RunId[..12]}… before and after");
        Claim("same uptime", after.UptimeSeconds >= before.UptimeSeconds, $"{before.UptimeSeconds} s before, {after.UptimeSeconds} s after");
        Claim("all keys", after.KeyCount == options.Keys + 1 && after.Digest == before.Digest,
            string.Create(CultureInfo.InvariantCulture, $"{after.KeyCount:N0} keys, digest of all values {after.Digest[..12]}… before and after"));
        Claim("counter goes on", counter is { CrossedOver: true, OnlyForward: true },
            string.Create(CultureInfo.InvariantCulture, $"{counter.Before:N0} at the source, then {counter.After:N0} at the target; {counter.Replies:N0} replies, never a step back"));
        Claim("old copy is gone", !source.Contains(RedisContainer.Name), $"runc list on the source: {(source.Length == 0 ? "empty" : string.Join(' ', source))}");
        Claim("new copy runs", target.Contains(RedisContainer.Name), $"runc list on the target: {string.Join(' ', target)}");
        Claim($"path {expectedPath}", path == expectedPath, $"migrate says {path}");

        stage.Line("");
        stage.Line(string.Create(CultureInfo.InvariantCulture,
            $"Downtime that the client measured: {counter.LongestGap.TotalMilliseconds:0} ms (migrate says {completed.GetProperty("downtimeMs").GetDouble():0} ms)"));
        foreach (JsonElement part in completed.GetProperty("downtime").EnumerateArray())
            stage.Line(string.Create(CultureInfo.InvariantCulture, $"    {part.GetProperty("phase").GetString(),-10} {part.GetProperty("ms").GetDouble(),8:0.0} ms"));
        return _holds;
    }

    private void Claim(string claim, bool holds, string seen)
    {
        _holds &= holds;
        stage.Line($"  {(holds ? "yes" : "NO ")}  {claim,-18} {seen}");
    }

    private static async Task<string[]> ContainersAsync(VirtualHost host) =>
        (await host.ShellAsync("runc list -q").ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
