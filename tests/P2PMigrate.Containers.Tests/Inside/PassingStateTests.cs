using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>States in which CRIU cannot dump a container, and in which it is for a moment only.</summary>
public sealed class PassingStateTests
{
    /// <summary>Sends itself a message, with which it gets the time (SO_TIMESTAMP, number 29), and receives it when it is told that it was stopped.</summary>
    private const string Sender = """
        import os, socket, time
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        right.setsockopt(socket.SOL_SOCKET, 29, 1)
        left.send(b"x")
        os.close(os.open("/sent", os.O_CREAT))
        while not os.path.exists("/stopped"):
            time.sleep(0.001)
        right.recv(1)
        os.close(os.open("/received", os.O_CREAT))
        time.sleep(1000)
        """;

    [InsideFact]
    [Trait("Spec", "MIG-163")]
    public async Task A_message_that_criu_cannot_dump_on_its_way_is_given_the_time_to_arrive()
    {
        await using Workload workload = await Workload.PrepareAsync(["python3", "/sender.py"]);
        await File.WriteAllTextAsync($"{workload.Root}/sender.py", Sender, TestContext.Current.CancellationToken);
        await workload.StartAsync();
        await Shell.RunAsync($"until [ -e {workload.Root}/sent ]; do sleep 0.01; done");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        await File.WriteAllTextAsync($"{workload.Root}/stopped", "", TestContext.Current.CancellationToken);
        await move.DumpAsync(fence);
        Assert.True(File.Exists($"{workload.Root}/received"));
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
    }
}
