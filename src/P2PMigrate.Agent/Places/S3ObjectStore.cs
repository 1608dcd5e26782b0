using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Xml.Linq;
using P2PMigrate.Migration.Depots;

namespace P2PMigrate.Agent.Places;

/// <summary>
/// Objects in a bucket of an S3 server. The server decides who of several created an object, by a conditional put; one that does not know that is found out before anything is written, and
/// refused. An answer that got lost is no doubt: every object says who wrote it.
/// </summary>
// spec: DEP-40, DEP-42
internal sealed class S3ObjectStore(S3Location location, TimeProvider? time = null) : IObjectStore, IDisposable
{
    // spec: CONST-465
    private const int ListedMax = 1_000_000, PagesMax = 10_000, PageBytesMax = 8 * 1024 * 1024;

    private const int RefusalBytesMax = 64 * 1024;

    private readonly S3Client _client = new(location, time ?? TimeProvider.System);
    private readonly SemaphoreSlim _proving = new(1);
    private volatile bool _isProven;

    /// <inheritdoc/>
    public string Place => location.Place;

    /// <inheritdoc/>
    public async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, DepotLimits.MaxObjectLength);
        await ProveAsync(cancellationToken).ConfigureAwait(false);
        return await CreateAsync(KeyOf(name), content, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken)
    {
        S3Answer answer = await _client.SendAsync(HttpMethod.Get, KeyOf(name), "", DepotLimits.MaxObjectLength, cancellationToken).ConfigureAwait(false);
        return answer.IsDone ? answer.Content
            : IsMissing(answer) ? null
            : throw answer.ToException(location);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        string? next = "";
        for (int pages = 0; next is not null; pages++)
        {
            (string, string)[] query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", KeyOf(prefix)), .. next.Length == 0 ? [] : new[] { ("continuation-token", next) }];
            S3Answer answer = await _client.SendAsync(HttpMethod.Get, "", S3Signature.Query(query), PageBytesMax, cancellationToken).ConfigureAwait(false);
            if (!answer.IsDone)
                throw answer.ToException(location);
            next = Take(answer.Document()?.Root ?? throw new IOException($"{location.Endpoint} answered with no list of the bucket. Is AWS_ENDPOINT_URL an S3 server's?"), names);
            if (names.Count > ListedMax || pages > PagesMax)
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{Place} has more than {ListedMax} objects. Choose a prefix of its own."));
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        S3Answer answer = ObjectName.IsClaim(name) ? await DeleteOnceAsync(KeyOf(name), cancellationToken).ConfigureAwait(false)
            : await _client.SendAsync(HttpMethod.Delete, KeyOf(name), "", RefusalBytesMax, cancellationToken).ConfigureAwait(false);
        if (!answer.IsDone && !IsMissing(answer))
            throw answer.ToException(location);
    }

    /// <summary>A claim that has been deleted may have come back as another's.</summary>
    // spec: DEP-43
    private async Task<S3Answer> DeleteOnceAsync(string key, CancellationToken cancellationToken)
    {
        (S3Answer? answer, IOException? failure) = await _client.TrySendAsync(HttpMethod.Delete, key, "", RefusalBytesMax, null, cancellationToken).ConfigureAwait(false);
        return answer ?? throw failure!;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _proving.Dispose();
    }

    /// <summary>Only in S3's own word: whatever else answers 404, such as something on the way, has not said that nobody claimed a container.</summary>
    private static bool IsMissing(S3Answer answer) => answer is { Status: HttpStatusCode.NotFound, Code: "NoSuchKey" };

    private static IEnumerable<XElement> Of(XElement parent, string name) => parent.Elements().Where(element => element.Name.LocalName == name);

    /// <summary>Takes the names of one page; returns what the next one is asked for by, null at the end.</summary>
    private string? Take(XElement page, List<string> names)
    {
        bool isEncoded = Of(page, "EncodingType").Any(element => element.Value == "url");
        foreach (XElement key in Of(page, "Contents").SelectMany(content => Of(content, "Key")))
        {
            string text = isEncoded ? Uri.UnescapeDataString(key.Value.Replace('+', ' ')) : key.Value;
            if (text.StartsWith(location.Prefix, StringComparison.Ordinal))
                names.Add(text[location.Prefix.Length..]);
        }

        string? next = Of(page, "NextContinuationToken").FirstOrDefault()?.Value;
        return Of(page, "IsTruncated").Any(element => element.Value == "true") && next is { Length: > 0 } ? next : null;
    }

    /// <summary>Creates one object twice: a server that lets the second through cannot tell two machines apart either.</summary>
    // spec: DEP-42
    private async Task ProveAsync(CancellationToken cancellationToken)
    {
        if (_isProven)
            return;
        await _proving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isProven)
                return;
            string probe = KeyOf($".probe-{RandomNumberGenerator.GetHexString(32, lowercase: true)}");
            bool isHonest = await CreateAsync(probe, default, cancellationToken).ConfigureAwait(false)
                && !await CreateAsync(probe, default, cancellationToken).ConfigureAwait(false);
            await _client.SendAsync(HttpMethod.Delete, probe, "", RefusalBytesMax, cancellationToken).ConfigureAwait(false);
            _isProven = isHonest ? true : throw NotExclusive();
        }
        finally
        {
            _proving.Release();
        }
    }

    // spec: DEP-42, DEP-43
    private async Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var write = new S3Write(content, RandomNumberGenerator.GetHexString(32, lowercase: true));
        bool isInDoubt = false;
        for (int attempt = 1; ; attempt++)
        {
            (S3Answer? answer, IOException? failure) = await _client.TrySendAsync(HttpMethod.Put, key, "", RefusalBytesMax, write, cancellationToken).ConfigureAwait(false);
            switch (answer)
            {
                case { IsDone: true }:
                    return true;
                case { Status: HttpStatusCode.PreconditionFailed } when !isInDoubt:
                    return false;
                case { Status: HttpStatusCode.PreconditionFailed } when await TryReadWriterAsync(key, cancellationToken).ConfigureAwait(false) is { } writer:
                    return writer == write.Writer;
                case { Status: HttpStatusCode.NotImplemented }:
                    throw NotExclusive();
                case { IsPassing: false, Status: not HttpStatusCode.PreconditionFailed }:
                    throw answer.ToException(location);
            }

            isInDoubt |= answer is not { Status: HttpStatusCode.Conflict };
            if (attempt == S3Client.Attempts)
                return await SettleAsync(key, write, failure ?? answer!.ToException(location), cancellationToken).ConfigureAwait(false);
            await _client.PauseAsync(attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>No attempt was answered: what is there now decides, if the server says it.</summary>
    private async Task<bool> SettleAsync(string key, S3Write write, IOException failure, CancellationToken cancellationToken)
    {
        try
        {
            if (await TryReadWriterAsync(key, cancellationToken).ConfigureAwait(false) is { } writer)
                return writer == write.Writer;
        }
        catch (IOException)
        {
            // The failure before it says why.
        }

        throw failure;
    }

    /// <summary>Who wrote an object, empty when it does not say; null when there is none.</summary>
    private async Task<string?> TryReadWriterAsync(string key, CancellationToken cancellationToken)
    {
        S3Answer answer = await _client.SendAsync(HttpMethod.Head, key, "", RefusalBytesMax, cancellationToken).ConfigureAwait(false);
        return answer.IsDone ? answer.Writer ?? ""
            : answer.Status == HttpStatusCode.NotFound ? null
            : throw answer.ToException(location);
    }

    private IOException NotExclusive() =>
        new($"{location.Endpoint} does not know conditional puts (If-None-Match): it could not tell which of two machines claimed a container first. Use another server, or a directory.");

    private string KeyOf(string name) => location.Prefix + name;
}
