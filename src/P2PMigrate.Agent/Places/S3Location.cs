using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Agent.Places;

/// <summary>
/// Where a bucket is and who asks for it: <c>s3://BUCKET/PREFIX</c> as typed, the rest from the environment under the names that other tools read it by. What is secret never stands on a
/// command line, where every user of the machine can read it.
/// </summary>
// spec: DEP-40
internal sealed record S3Location
{
    /// <summary>What such places begin with.</summary>
    public const string Scheme = "s3://";

    private const string DefaultRegion = "us-east-1";

    /// <summary>The server, without a path.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>The bucket.</summary>
    public required string Bucket { get; init; }

    /// <summary>What the keys of all objects begin with: empty, or with a slash at its end.</summary>
    public required string Prefix { get; init; }

    /// <summary>The region that requests are signed for.</summary>
    public required string Region { get; init; }

    /// <summary>Who asks.</summary>
    public required S3Credentials Credentials { get; init; }

    /// <summary>What was typed.</summary>
    public string Place => $"{Scheme}{Bucket}/{Prefix}".TrimEnd('/');

    /// <summary>Reads a place and its environment; throws <see cref="UsageException"/> with what is missing.</summary>
    public static S3Location Of(string place, Func<string, string?> environment)
    {
        string[] parts = place[Scheme.Length..].Split('/', 2);
        if (!IsBucket(parts[0]) || parts is [_, var rest] && rest.Split('/').Any(part => part is "." or ".."))
            throw new UsageException($"'{place}' is no bucket: type s3://BUCKET or s3://BUCKET/PREFIX.");
        string region = First(environment, "AWS_REGION", "AWS_DEFAULT_REGION") ?? DefaultRegion;
        string prefix = parts.Length == 1 ? "" : parts[1].Trim('/');
        return new S3Location
        {
            Bucket = parts[0],
            Prefix = prefix.Length == 0 ? "" : prefix + "/",
            Region = region,
            Endpoint = EndpointOf(First(environment, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") ?? $"https://s3.{region}.amazonaws.com"),
            Credentials = new S3Credentials(
                First(environment, "AWS_ACCESS_KEY_ID") ?? throw Missing("AWS_ACCESS_KEY_ID"),
                First(environment, "AWS_SECRET_ACCESS_KEY") ?? throw Missing("AWS_SECRET_ACCESS_KEY"),
                First(environment, "AWS_SESSION_TOKEN")),
        };
    }

    private static bool IsBucket(string name) =>
        name.Length is >= 3 and <= 63 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_') && char.IsAsciiLetterOrDigit(name[0]);

    private static Uri EndpointOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? endpoint) && IsHttp(endpoint) && endpoint is { AbsolutePath: "/", Query: "", UserInfo: "" }
            ? endpoint
            : throw new UsageException("AWS_ENDPOINT_URL is no server: it is http:// or https:// with a name or an address and perhaps a port, such as https://store.example:9000.");

    private static bool IsHttp([NotNullWhen(true)] Uri? endpoint) => endpoint?.Scheme == Uri.UriSchemeHttps || endpoint?.Scheme == Uri.UriSchemeHttp;

    private static string? First(Func<string, string?> environment, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (environment(name) is { Length: > 0 } value)
                return value;
        }

        return null;
    }

    private static UsageException Missing(string name) =>
        new($"{name} is not set. A bucket needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, and AWS_ENDPOINT_URL where it is not at AWS.");
}

/// <summary>An access key, its secret, and a session's token where they are lent.</summary>
internal sealed record S3Credentials(string AccessKey, string SecretKey, string? SessionToken)
{
    /// <summary>Never the secrets.</summary>
    public override string ToString() => AccessKey;
}
