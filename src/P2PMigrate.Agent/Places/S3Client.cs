using System.Security.Authentication;
using P2PMigrate.Migration.Depots;

namespace P2PMigrate.Agent.Places;

/// <summary>
/// Requests to one bucket: signed, sent, answered. Repeats what may be repeated; what may not is for the caller to judge by <see cref="TrySendAsync"/>. Safe for use from several threads.
/// </summary>
/// <remarks>
/// Not Minio's client (7.0.0): it does not send the header on which exclusive creation rests, and its XML needs code that is made at run time, which a native program has not.
/// </remarks>
// spec: DEP-41, DEP-43
internal sealed class S3Client(S3Location location, TimeProvider time) : IDisposable
{
    /// <summary>Times that a request is sent before its failure is believed.</summary>
    // spec: CONST-463
    public const int Attempts = 5;

    /// <summary>How long the server may be silent; what it is sent comes on top.</summary>
    // spec: CONST-464
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(20);

    /// <summary>How long a connection may take to be made.</summary>
    // spec: CONST-464
    private static readonly TimeSpan s_connectTime = TimeSpan.FromSeconds(10);

    /// <summary>The pause before the second attempt; it doubles.</summary>
    // spec: CONST-463
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(200);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = s_connectTime })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Sends what changes nothing the second time, until it is answered or <see cref="Attempts"/> are over.</summary>
    public async Task<S3Answer> SendAsync(HttpMethod method, string key, string query, int lengthMax, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            (S3Answer? answer, IOException? failure) = await TrySendAsync(method, key, query, lengthMax, null, cancellationToken).ConfigureAwait(false);
            if (answer is { IsPassing: false })
                return answer;
            if (attempt == Attempts)
                throw failure ?? answer!.ToException(location);
            await PauseAsync(attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a request once. Without an answer, whether the server did what was asked is not known.</summary>
    public async Task<(S3Answer? Answer, IOException? Failure)> TrySendAsync(
        HttpMethod method, string key, string query, int lengthMax, S3Write? write, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(s_silence + DepotLimits.TimeOf(write?.Content.Length ?? 0));
        try
        {
            using HttpRequestMessage request = Request(method, key, query, write);
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            byte[] content = await ReadAsync(response, lengthMax, deadline).ConfigureAwait(false);
            string? writer = response.Headers.TryGetValues(S3Answer.WriterHeader, out IEnumerable<string>? values) ? values.First() : null;
            return (new S3Answer(response.StatusCode, content, writer), null);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException refused)
        {
            throw new IOException($"{location.Endpoint} has a certificate that this machine does not trust: {refused.Message}", exception);
        }
        catch (HttpRequestException exception)
        {
            return (null, new IOException($"{location.Endpoint} cannot be reached: {exception.Message}. Is that the server, and AWS_ENDPOINT_URL right?", exception));
        }
        catch (InvalidDataException exception)
        {
            throw new IOException(exception.Message, exception);
        }
        catch (IOException exception)
        {
            return (null, new IOException($"{location.Endpoint} broke off in the middle of an answer: {exception.Message}", exception));
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            string what = deadline.IsCancellationRequested ? "does not answer in time" : $"cannot be reached: no connection in {s_connectTime.TotalSeconds:0} s";
            return (null, new IOException($"{location.Endpoint} {what}. Is that the server, and AWS_ENDPOINT_URL right?", exception));
        }
    }

    /// <summary>Waits before the next attempt.</summary>
    public Task PauseAsync(int attempt, CancellationToken cancellationToken) => Task.Delay(s_firstPause * (1 << (attempt - 1)), time, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(HttpMethod method, string key, string query, S3Write? write)
    {
        string path = string.Join('/', $"{location.Bucket}/{key}".TrimEnd('/').Split('/').Select(S3Signature.Escape));
        var request = new HttpRequestMessage(method, new Uri(location.Endpoint, $"/{path}{(query.Length > 0 ? "?" : "")}{query}"));
        if (write is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", "*"); // spec: DEP-42
            request.Headers.Add(S3Answer.WriterHeader, write.Writer);
            request.Content = new ReadOnlyMemoryContent(write.Content);
        }

        S3Signature.Sign(request, write is null ? [] : write.Content.Span, location.Credentials, location.Region, time.GetUtcNow());
        return request;
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, int lengthMax, CancellationTokenSource deadline)
    {
        Stream body = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            var content = new MemoryStream();
            byte[] buffer = new byte[81920];
            while (await body.ReadAsync(buffer, deadline.Token).ConfigureAwait(false) is > 0 and var read)
            {
                deadline.CancelAfter(s_silence);
                if (content.Length + read > lengthMax)
                    throw new InvalidDataException($"{location.Endpoint} answered with more than {lengthMax} bytes, more than any object of a depot has.");
                content.Write(buffer, 0, read);
            }

            return content.ToArray();
        }
    }
}

/// <summary>The content of an object to be made, and who makes it: drawn for this one creation, so that its maker knows it again.</summary>
internal sealed record S3Write(ReadOnlyMemory<byte> Content, string Writer);
