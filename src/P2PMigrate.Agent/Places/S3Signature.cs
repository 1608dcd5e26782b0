using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace P2PMigrate.Agent.Places;

/// <summary>
/// AWS Signature Version 4 in a request's header: a keyed digest of method, path, query, headers and content, by which a server knows who asks without being told the secret.
/// </summary>
// spec: DEP-41
internal static class S3Signature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Signs <paramref name="request"/> with all headers that it has by now, for <paramref name="content"/> as its body.</summary>
    public static void Sign(HttpRequestMessage request, ReadOnlySpan<byte> content, S3Credentials credentials, string region, DateTimeOffset now)
    {
        string time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        string scope = $"{time[..8]}/{region}/s3/aws4_request";
        string digest = Hex(SHA256.HashData(content));
        Uri uri = request.RequestUri!;
        request.Headers.Host = uri.Authority;
        request.Headers.Add("x-amz-date", time);
        request.Headers.Add("x-amz-content-sha256", digest);
        if (credentials.SessionToken is { } token)
            request.Headers.Add("x-amz-security-token", token);

        (string Name, string Value)[] headers = [.. request.Headers
            .Select(header => (Name: header.Key.ToLowerInvariant(), Value: string.Join(',', header.Value)))
            .OrderBy(header => header.Name, StringComparer.Ordinal)];
        string names = string.Join(';', headers.Select(header => header.Name));
        string canonical = string.Join('\n',
            [request.Method.Method, uri.AbsolutePath, uri.Query.TrimStart('?'), .. headers.Select(header => $"{header.Name}:{header.Value}"), "", names, digest]);
        string toSign = string.Join('\n', Algorithm, time, scope, Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical))));
        string signature = Hex(Mac(KeyOf(credentials.SecretKey, time[..8], region), toSign));
        request.Headers.TryAddWithoutValidation("Authorization", $"{Algorithm} Credential={credentials.AccessKey}/{scope}, SignedHeaders={names}, Signature={signature}");
    }

    /// <summary>Percent-encodes all but letters, digits and <c>- . _ ~</c>, as the signature wants it; <see cref="Uri"/> leaves such text alone.</summary>
    public static string Escape(string text) => Uri.EscapeDataString(text);

    /// <summary>A query in the order that the signature wants.</summary>
    public static string Query(params IEnumerable<(string Name, string Value)> parts) =>
        string.Join('&', parts.Select(part => (Name: Escape(part.Name), Value: Escape(part.Value))).OrderBy(part => part.Name, StringComparer.Ordinal).Select(part => $"{part.Name}={part.Value}"));

    private static byte[] KeyOf(string secret, string date, string region) =>
        Mac(Mac(Mac(Mac(Encoding.UTF8.GetBytes("AWS4" + secret), date), region), "s3"), "aws4_request");

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
