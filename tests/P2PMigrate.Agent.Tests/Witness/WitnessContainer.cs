using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Witness;

/// <summary>The container that the tests migrate, with a root file system that has one of everything.</summary>
internal static class WitnessContainer
{
    public const string Name = "witness";

    /// <summary>16 bytes; fills the container's memory and a file, and must never be seen on the wire.</summary>
    public const string Marker = "Q7#witness-mark!";

    private static readonly IPEndPoint s_address = new(IPAddress.Parse("10.20.0.10"), 7000);
    private static readonly TimeSpan s_answerLimit = TimeSpan.FromSeconds(2);

    /// <summary>Starts it on <paramref name="source"/>; the network is there on both hosts.</summary>
    public static async Task StartAsync(VirtualHost source, VirtualHost target, int megabytes, int filesMegabytes, (string Kind, string Program)? hook = null)
    {
        using var reader = new StreamReader(typeof(WitnessContainer).Assembly.GetManifestResourceStream("witness.py")!);
        ContainerNetwork network = await ContainerNetwork.CreateAsync(source, Name);
        await ContainerNetwork.CreateAsync(target, Name);
        ContainerBundle bundle = await ContainerBundle.CreateAsync(source, new ContainerOptions
        {
            Name = Name,
            Arguments = ["python3", "/srv/witness.py", Marker, $"{megabytes}"],
            NetworkNamespacePath = network.Path,
        });
        await FurnishAsync(bundle, await reader.ReadToEndAsync(), filesMegabytes);
        if (hook is { } wanted)
            await AddHookAsync(bundle, wanted.Kind, wanted.Program);
        await bundle.StartAsync();
        await WaitAsync(source, TimeSpan.FromSeconds(20));
    }

    /// <summary>Asks the copy that <paramref name="host"/> reaches; null when none answers in time.</summary>
    public static async Task<Testimony?> AskAsync(VirtualHost host, string request = "state")
    {
        try
        {
            using var limit = new CancellationTokenSource(s_answerLimit);
            using Socket socket = host.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(s_address, limit.Token);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(request + "\n"), limit.Token);
            using var reader = new StreamReader(stream);
            return await reader.ReadLineAsync(limit.Token) is { Length: > 0 } line ? Testimony.Parse(line) : null;
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Asks until somebody answers, for at most <paramref name="limit"/>.</summary>
    public static async Task<Testimony> WaitAsync(VirtualHost host, TimeSpan limit)
    {
        long deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        while (Environment.TickCount64 < deadline)
        {
            if (await AskAsync(host) is { } testimony)
                return testimony;
            await Task.Delay(20);
        }
        throw new LabException($"the witness on {host.Name} did not answer within {limit.TotalSeconds:0} s");
    }

    private static async Task AddHookAsync(ContainerBundle bundle, string kind, string program)
    {
        string path = $"{bundle.Directory}/config.json";
        JsonNode configuration = JsonNode.Parse(await bundle.Host.ReadTextAsync(path))!;
        configuration["hooks"] = new JsonObject { [kind] = new JsonArray(new JsonObject { ["path"] = program }) };
        await bundle.Host.WriteTextAsync(path, configuration.ToJsonString());
    }

    /// <summary>One of everything that a root file system may hold.</summary>
    private static async Task FurnishAsync(ContainerBundle bundle, string script, int filesMegabytes)
    {
        await bundle.Host.WriteTextAsync($"{bundle.Rootfs}/srv/witness.py", script);
        await bundle.Host.ShellAsync(
            $"""
            cd {bundle.Rootfs}/srv
            python3 -c 'open("marker.bin","w").write("{Marker}" * 100000); open("data.txt","w").write("0123456789" * 1000)'
            mkdir everything && cd everything
            echo plain > plain && chmod 4755 plain && ln plain hard-link && ln -s ../nowhere dangling
            setfattr -n user.note -v hello plain && setfattr -n trusted.note -v secret plain && setfacl -m u:1234:r plain
            chown 1234:4321 hard-link && touch -d '2001-02-03 04:05:06.789012345' plain && touch -h -d '2002-03-04 05:06:07.123456789' dangling
            truncate -s 64M sparse && printf middle | dd of=sparse bs=1 seek=33554432 conv=notrunc status=none
            mkfifo -m 640 fifo && mknod device c 1 7 && mkdir -m 1777 sticky && : > empty
            python3 -c 'import os; [os.close(os.open(n, os.O_CREAT|os.O_WRONLY)) for n in (b"with\nnewline", b"not-utf8-\xff\xfe", b"-dash", b" blank ")]'
            dd if=/dev/urandom of=noise bs=1M count={filesMegabytes} status=none
            """);
    }
}
