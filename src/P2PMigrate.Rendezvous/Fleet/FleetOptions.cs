using System.Net;

namespace P2PMigrate.Rendezvous.Fleet;

/// <summary>How a server joins others, so that their peers find each other.</summary>
public sealed record FleetOptions
{
    /// <summary>
    /// The Redis that all of them use: <c>HOST:PORT</c>, and after commas what StackExchange.Redis takes, such as <c>password=…</c>
    /// or <c>ssl=true</c>. Whoever can write there can keep peers of different servers from meeting; it should be the fleet's alone.
    /// </summary>
    public required string Redis { get; init; }

    /// <summary>What of <see cref="Redis"/> may be shown: the servers that it names, without the options, one of which may be a password.</summary>
    public string RedisServers => ServersOf(Redis);

    /// <summary>Where the other servers reach this one over UDP; null: where it listens, which then must be one address. Port 0 is the one where it listens.</summary>
    public IPEndPoint? Address { get; init; }

    /// <summary>The parts of <paramref name="redis"/> that are no options, wherever they stand.</summary>
    internal static string ServersOf(string redis) => string.Join(',', redis.Split(',').Where(part => !part.Contains('=', StringComparison.Ordinal)));
}
