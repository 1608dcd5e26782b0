using System.Diagnostics;
using System.Globalization;
using System.Net;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Rendezvous;

namespace P2PMigrate.RendezvousBench;

/// <summary>A server in a process of its own, so that its memory and processor time are nobody else's. It ends with its standard input.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, IPEndPoint address) => (_process, Address) = (process, address);

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Starts this program again, as the server.</summary>
    public static async Task<ServerProcess> StartAsync()
    {
        Process process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["serve"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        string? address = await process.StandardOutput.ReadLineAsync();
        return new ServerProcess(process, IPEndPoint.Parse(address ?? throw new InvalidOperationException("The server did not start.")));
    }

    /// <summary>What runs in that process: answers each line of input with what the server holds.</summary>
    public static async Task<int> ServeAsync()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        Console.WriteLine(server.LocalEndPoint);
        while (await Console.In.ReadLineAsync() is { } order)
        {
            if (order == "collect")
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            RendezvousServerStatistics held = server.Statistics;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{held.Registrations} {GC.GetTotalMemory(forceFullCollection: false)}"));
        }

        return 0;
    }

    /// <summary>Reads it; <paramref name="isCollecting"/>: after a full collection, which costs the server time.</summary>
    public async Task<ServerReading> ReadAsync(bool isCollecting)
    {
        (long before, double cpu) = ServerReading.OfProcess(_process.Id);
        await _process.StandardInput.WriteLineAsync(isCollecting ? "collect" : "read");
        string[] answer = (await _process.StandardOutput.ReadLineAsync())!.Split(' ');
        long resident = isCollecting ? ServerReading.OfProcess(_process.Id).ResidentBytes : before;
        return new ServerReading(int.Parse(answer[0], CultureInfo.InvariantCulture), long.Parse(answer[1], CultureInfo.InvariantCulture), resident, cpu);
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
