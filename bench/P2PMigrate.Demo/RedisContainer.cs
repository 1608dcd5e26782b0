using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using P2PMigrate.Lab;

namespace P2PMigrate.Demo;

/// <summary>The container that moves: a real redis-server, nothing on disk, in a network namespace that both hosts have.</summary>
internal sealed class RedisContainer(VirtualHost source, VirtualHost target)
{
    public const string Name = "redis";
    private const int KeysPerRequest = 500;
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(15);

    public IPEndPoint Address { get; } = new(IPAddress.Parse("10.20.0.10"), 6379);

    /// <summary>Makes the networks on both hosts and starts redis on the source.</summary>
    public async Task StartAsync()
    {
        ContainerNetwork network = await ContainerNetwork.CreateAsync(source, Name).ConfigureAwait(false);
        await ContainerNetwork.CreateAsync(target, Name).ConfigureAwait(false);
        ContainerBundle bundle = await ContainerBundle.CreateAsync(source, new ContainerOptions
        {
            Name = Name,
            Arguments = ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no"],
            NetworkNamespacePath = network.Path,
        }).ConfigureAwait(false);
        await bundle.StartAsync().ConfigureAwait(false);
        using RedisConnection connection = Open(SourceDoor, s_startLimit);
    }

    /// <summary>A socket in the source's network; its owner disposes it.</summary>
    public Socket SourceDoor() => source.OpenSocket(SocketType.Stream, ProtocolType.Tcp);

    /// <summary>A socket in the target's network.</summary>
    public Socket TargetDoor() => target.OpenSocket(SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Fills redis with <paramref name="count"/> keys of random-looking values.</summary>
    public void Fill(int count)
    {
        using RedisConnection connection = Open(SourceDoor, s_startLimit);
        foreach (int[] batch in Enumerable.Range(0, count).Chunk(KeysPerRequest))
        {
            connection.Send(batch.Select(i => new[] { "SET", Key(i), Value(i) }));
            foreach (int _ in batch)
                connection.Receive();
        }
    }

    /// <summary>Asks through <paramref name="door"/> what identifies this very process and all its data.</summary>
    public RedisFacts Facts(Func<Socket> door, int keys)
    {
        using RedisConnection connection = Open(door, s_startLimit);
        string info = (string)connection.Ask("INFO", "server")!;
        long size = (long)connection.Ask("DBSIZE")!;
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (int[] batch in Enumerable.Range(0, keys).Chunk(KeysPerRequest))
        {
            foreach (object? value in (object?[])connection.Ask(["MGET", .. batch.Select(Key)])!)
                digest.AppendData(Encoding.UTF8.GetBytes((string?)value ?? "(missing)"));
        }
        return new RedisFacts(
            Field(info, "run_id"), long.Parse(Field(info, "uptime_in_seconds"), CultureInfo.InvariantCulture), size,
            Convert.ToHexStringLower(digest.GetHashAndReset()));
    }

    private RedisConnection Open(Func<Socket> door, TimeSpan limit)
    {
        var deadline = DateTime.UtcNow + limit;
        while (DateTime.UtcNow < deadline)
        {
            if (RedisConnection.TryOpen(door(), Address, TimeSpan.FromSeconds(1)) is { } connection)
                return connection;
            Thread.Sleep(20);
        }
        throw new LabException($"redis did not answer at {Address} within {limit.TotalSeconds:0} s");
    }

    private static string Key(int i) => string.Create(CultureInfo.InvariantCulture, $"key:{i:D6}");

    private static string Value(int i) =>
        Convert.ToBase64String(SHA512.HashData(Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture))));

    private static string Field(string info, string name) =>
        info.Split("\r\n").First(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..];
}

/// <summary>What tells one redis process from every other: its run id, its age, how many keys, and a digest of all values.</summary>
internal sealed record RedisFacts(string RunId, long UptimeSeconds, long KeyCount, string Digest);
