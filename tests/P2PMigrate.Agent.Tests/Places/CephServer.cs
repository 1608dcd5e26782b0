using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using P2PMigrate.Agent.Places;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>
/// A real S3 server on loopback: Ceph's gateway over one monitor and one object store in memory, all of them children of the test, without a bucket. It decides conditional puts where the
/// objects are, as a large one does. Shared by the tests of a class; each makes a bucket of its own.
/// </summary>
public sealed class CephServer : IAsyncLifetime
{
    private const string Gateway = "/usr/bin/radosgw";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-ceph-").FullName;
    private readonly Stack<Process> _daemons = new();
    private int _buckets;

    /// <summary>Is it installed here?</summary>
    public static bool IsInstalled => File.Exists(Gateway);

    internal Uri Endpoint { get; } = new($"http://127.0.0.1:{FreePort()}");

    private string Configuration => Path.Combine(_directory, "ceph.conf");

    public async ValueTask InitializeAsync()
    {
        if (!IsInstalled)
            return;
        try
        {
            await StartAsync();
        }
        catch
        {
            await DisposeAsync(); // nobody else would end what was started by now
            throw;
        }
    }

    /// <summary>A bucket that nothing is in, as a place of <paramref name="prefix"/> in it.</summary>
    internal async Task<S3Location> MakeBucketAsync(string prefix = "moves")
    {
        Assert.SkipUnless(IsInstalled, "radosgw is not installed; tests/install does that.");
        S3Location location = Of($"bucket-{Interlocked.Increment(ref _buckets)}", prefix);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(Endpoint, $"/{location.Bucket}"));
        S3Signature.Sign(request, [], location.Credentials, location.Region, DateTimeOffset.UtcNow);
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return location;
    }

    /// <summary>A bucket that need not be there.</summary>
    internal S3Location Of(string bucket, string prefix) => S3Location.Of($"s3://{bucket}/{prefix}", EnvironmentOf(Endpoint).GetValueOrDefault);

    /// <summary>What a user has in the environment.</summary>
    internal static Dictionary<string, string?> EnvironmentOf(Uri endpoint) => new()
    {
        ["AWS_ENDPOINT_URL"] = endpoint.ToString(),
        ["AWS_ACCESS_KEY_ID"] = "testaccess",
        ["AWS_SECRET_ACCESS_KEY"] = "testsecret",
    };

    public async ValueTask DisposeAsync()
    {
        foreach (Process daemon in _daemons)
        {
            daemon.Kill();
            await daemon.WaitForExitAsync();
            daemon.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartAsync()
    {
        int monitor = FreePort();
        string fsid = Guid.NewGuid().ToString(), disk = Guid.NewGuid().ToString();
        await File.WriteAllTextAsync(Configuration, Configure(fsid, monitor));
        await RunAsync("monmaptool", "--create", "--add", "a", $"127.0.0.1:{monitor}", "--fsid", fsid, "monmap");
        await RunAsync("ceph-authtool", "--create-keyring", "keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
        await RunAsync("ceph-authtool", "keyring", "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *");
        await RunAsync("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring");
        Start("ceph-mon", "-f", "-i", "a");

        string key = (await RunAsync("ceph-authtool", "--gen-print-key")).Trim();
        await RunAsync("ceph-authtool", "keyring", "-n", "osd.0", "--add-key", key, "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *");
        await File.WriteAllTextAsync(Path.Combine(_directory, "secrets.json"), $$"""{"cephx_secret": "{{key}}"}""");
        await RunAsync("ceph", "osd", "new", disk, "-i", "secrets.json");
        Directory.CreateDirectory(Path.Combine(_directory, "osd"));
        await RunAsync("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk);
        Start("ceph-osd", "-f", "-i", "0");

        await RunAsync("radosgw-admin", "user", "create", "--uid=test", "--display-name=test", "--access-key=testaccess", "--secret-key=testsecret");
        Start("radosgw", "-f", "-n", "client.admin");
        await WaitForGatewayAsync();
    }

    private string Configure(string fsid, int monitor) => $"""
        [global]
        fsid = {fsid}
        mon host = 127.0.0.1:{monitor}
        public network = 127.0.0.0/8
        run dir = {_directory}
        log file = {_directory}/$name.log
        admin socket = {_directory}/$name.asok
        pid file = {_directory}/$name.pid
        keyring = {_directory}/keyring
        mon data = {_directory}/mon
        osd data = {_directory}/osd
        osd objectstore = memstore
        memstore device bytes = 1073741824
        osd crush chooseleaf type = 0
        osd pool default size = 1
        osd pool default min size = 1
        osd pool default pg num = 1
        osd pool default pgp num = 1
        mon allow pool size one = true
        mon data avail crit = 1
        rgw frontends = beast endpoint={Endpoint.Authority}
        rgw thread pool size = 32

        """;

    private async Task WaitForGatewayAsync()
    {
        using var http = new HttpClient();
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await http.GetStringAsync(Endpoint);
                return;
            }
            catch (HttpRequestException) when (waited.Elapsed < s_patience)
            {
                Assert.False(_daemons.Peek().HasExited, "radosgw did not start.");
                await Task.Delay(200);
            }
        }
    }

    private void Start(string program, params string[] arguments)
    {
        Process daemon = Begin(program, arguments);
        _daemons.Push(daemon);
        _ = daemon.StandardOutput.ReadToEndAsync(CancellationToken.None);
        _ = daemon.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Begin(program, arguments);
        using var patience = new CancellationTokenSource(s_patience);
        Task<string> errors = process.StandardError.ReadToEndAsync(patience.Token);
        string output = await process.StandardOutput.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
        return output;
    }

    private Process Begin(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _directory };
        start.Environment["CEPH_CONF"] = Configuration;
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
