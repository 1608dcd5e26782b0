using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>States in which CRIU cannot dump a container, and in which it is for a moment only.</summary>
public sealed class PassingStateTests
{
    /// <summary>Sends itself a descriptor, and receives it when it has noticed that it stood still.</summary>
    private const string Sender = """
        import os, socket, time
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        socket.send_fds(left, [b"x"], [0])
        os.close(os.open("/sent", os.O_CREAT))
        looked = time.time()
        while time.time() - looked < 0.1:
            looked = time.time()
            time.sleep(0.001)
        socket.recv_fds(right, 1, 1)
        os.close(os.open("/received", os.O_CREAT))
        time.sleep(1000)
        """;

    [InsideFact]
    [Trait("Spec", "MIG-163")]
    public async Task A_descriptor_on_its_way_at_the_freeze_is_given_the_time_to_arrive()
    {
        await using Workload workload = await Workload.PrepareAsync(["python3", "/sender.py"]);
        await File.WriteAllTextAsync($"{workload.Root}/sender.py", Sender, TestContext.Current.CancellationToken);
        await workload.StartAsync();
        await Shell.RunAsync($"until [ -e {workload.Root}/sent ]; do sleep 0.01; done");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        bool early = File.Exists($"{workload.Root}/received");
        await move.DumpAsync(fence);
        Assert.False(early, "the program took a busy machine for a freeze");
        Assert.True(File.Exists($"{workload.Root}/received"));
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
    }
}
