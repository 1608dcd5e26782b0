using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// Podman's service, for one request: its command line cannot say of a container all that can be said. The runtime is the service's own: it pays no heed to a request's. It ends with this object, and with our process soon after it. Used by one caller at a time.
/// </summary>
internal sealed class PodmanService : IDisposable
{
    private const string IdleSeconds = "20";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20), s_look = TimeSpan.FromMilliseconds(5);

    private readonly Process _process;
    private readonly string _socketPath;
    private readonly HttpClient _http;

    private PodmanService(Process process, string socketPath)
    {
        (_process, _socketPath) = (process, socketPath);
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, cancellationToken) => ConnectAsync(cancellationToken), UseProxy = false }) { BaseAddress = new Uri("http://podman/"), Timeout = s_limit };
    }

    /// <summary>Creates a container as <paramref name="creation"/> says, to be run by <paramref name="runtime"/>; returns its number. Throws <see cref="ContainerException"/> with Podman's own words when that is refused.</summary>
    public static async Task<string> CreateAsync(string podman, string runtime, string workDirectory, byte[] creation, CancellationToken cancellationToken)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("p2pmigrate-"); // a socket's path may not be long
        try
        {
            using var service = new PodmanService(Start(podman, runtime, workDirectory, SocketIn(directory)), SocketIn(directory));
            return await service.CreateAsync(creation, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static string SocketIn(DirectoryInfo directory) => Path.Combine(directory.FullName, "service");

    private static Process Start(string podman, string runtime, string workDirectory, string socketPath)
    {
        var description = new ProcessStartInfo(podman, ["--runtime", runtime, "system", "service", "--time", IdleSeconds, $"unix://{socketPath}"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (string name in PodmanSurroundings.OfService) description.Environment.Remove(name);
        description.Environment[OwnedProcesses.Variable] = workDirectory;
        try
        {
            Process process = Process.Start(description)!;
            process.StandardInput.Close();
            return process;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new ContainerException($"The program {podman} cannot be started ({missing.Message}); is it installed?", inner: missing);
        }
    }

    private async Task<string> CreateAsync(byte[] creation, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(creation) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            using HttpResponseMessage answer = await _http.PostAsync("v5.0.0/libpod/containers/create", content, cancellationToken).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode && await answer.Content.ReadFromJsonAsync(PodmanJson.Default.PodmanCreated, cancellationToken).ConfigureAwait(false) is { Id.Length: > 0 } created) return created.Id;
            PodmanRefusal? refusal = await answer.Content.ReadFromJsonAsync(PodmanJson.Default.PodmanRefusal, cancellationToken).ConfigureAwait(false);
            throw new ContainerException($"Podman refuses to create the container: {refusal?.Message ?? answer.ReasonPhrase}.");
        }
        catch (Exception failed) when (failed is HttpRequestException or System.Text.Json.JsonException or IOException || (failed is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ContainerException($"Podman's service (`podman system service`) could not be asked to create the container: {failed.Message}", inner: failed);
        }
    }

    /// <summary>Until the service listens.</summary>
    private async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socketPath), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (!_process.HasExited)
            {
                socket.Dispose(); // it is not there, or not listening, yet
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            await Task.Delay(s_look, cancellationToken).ConfigureAwait(false);
        }
    }
}
