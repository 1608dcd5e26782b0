using System.Buffers.Binary;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Tests.Machines;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>A peer with a valid ticket that says and sends what it should not, against the whole of the other side.</summary>
public sealed class HostilePeerTests
{
    private const int Seed = 4711;

    [Theory]
    [InlineData(StreamPriority.Bulk)]
    [InlineData(StreamPriority.Urgent)]
    [Trait("Spec", "MIG-01")]
    public async Task Another_stream_before_the_control_stream_ends_the_session(StreamPriority priority)
    {
        await using var rig = new MigrationRig();
        Task<ReceiveOutcome> receiving = Receive(rig);

        ITunnelStream stream = await rig.Near.OpenStreamAsync(priority);
        await stream.Output.WriteAsync(new byte[] { 1 });

        Assert.Equal(ReceiveEnd.NothingProposed, (await receiving).End);
    }

    [Fact]
    public async Task Random_control_bytes_never_get_further_than_a_reason()
    {
        var random = new Random(Seed);
        for (int round = 0; round < 60; round++)
        {
            await using var rig = new MigrationRig();
            Task<ReceiveOutcome> receiving = Receive(rig);
            ITunnelStream control = await rig.Near.OpenStreamAsync(StreamPriority.Control);
            byte[] noise = new byte[random.Next(4, 200)];
            random.NextBytes(noise);
            if (round % 2 == 0)
                BinaryPrimitives.WriteUInt32LittleEndian(noise, (uint)noise.Length - 4);
            await control.Output.WriteAsync(noise);
            await control.Output.CompleteAsync();

            ReceiveOutcome outcome = await receiving.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
            Assert.Equal(ReceiveEnd.NothingProposed, outcome.End);
        }
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("prepare")]
    [InlineData("propose")]
    [InlineData("lease")]
    [InlineData("done")]
    [Trait("Spec", "MIG-11")]
    public async Task A_message_out_of_turn_ends_the_job_and_leaves_nothing(string word)
    {
        await using var rig = new MigrationRig();
        Task<ReceiveOutcome> receiving = Receive(rig);
        ITunnelStream control = await ProposeAsync(rig);

        await SendAsync(control, word switch
        {
            "commit" => new Commit(),
            "prepare" => new Prepare(),
            "propose" => Proposals.Any,
            "lease" => new LeaseRequest(1),
            _ => new Done(),
        });

        await AssertAbortedAsync(rig, receiving);
    }

    [Fact]
    [Trait("Spec", "MIG-20")]
    public async Task Random_bulk_bytes_end_the_job_and_leave_nothing()
    {
        var random = new Random(Seed);
        for (int round = 0; round < 20; round++)
        {
            await using var rig = new MigrationRig();
            Task<ReceiveOutcome> receiving = Receive(rig);
            await ProposeAsync(rig);

            var header = new StreamHeader(Proposals.Any.JobId, (ContentKind)random.Next(1, 4), 0, random.Next(2) == 0);
            ITunnelStream stream = await header.OpenAsync(rig.Near, CancellationToken.None);
            byte[] noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            await stream.Output.WriteAsync(noise);
            await stream.Output.CompleteAsync();

            await AssertAbortedAsync(rig, receiving);
        }
    }

    [Fact]
    [Trait("Spec", "MIG-11")]
    public async Task A_target_that_claims_to_run_uncommitted_is_not_believed()
    {
        await using var rig = new MigrationRig();
        Task<MigrationOutcome> sending = new SourceRunner(rig.Source.Environment).SendAsync(
            rig.Near, await rig.Source.Runtime.InspectAsync("web", null, default), new SendOptions { PeerName = "two" });
        ITunnelStream control = await rig.Far.AcceptStreamAsync();
        await SendAsync(control, new Running(TimeSpan.FromMilliseconds(5)));

        var failed = Assert.IsType<MigrationFailed>(await sending);

        Assert.Contains("not its turn", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(CopyState.Running, rig.SourceCopy!.State);
        await Aftermath.SettleAsync(rig);
    }

    private static Task<ReceiveOutcome> Receive(MigrationRig rig) => Task.Run(async () =>
    {
        var runner = new TargetRunner(rig.Target.Environment);
        return await runner.ReceiveAsync(rig.Far, new ReceiveOptions { PeerName = "one", AdmitAsync = _ => ValueTask.FromResult<string?>(null) });
    });

    private static async Task<ITunnelStream> ProposeAsync(MigrationRig rig)
    {
        ITunnelStream control = await rig.Near.OpenStreamAsync(StreamPriority.Control);
        await SendAsync(control, Proposals.Any with { Container = Proposals.Any.Container with { Runtime = "simulated" } });
        byte[] answer = await control.Input.ReadRecordAsync(ControlLimits.MaxMessageLength, CancellationToken.None);
        Assert.True(ControlCodec.TryDecode(new System.Buffers.ReadOnlySequence<byte>(answer), out ControlMessage? message, out _));
        Assert.IsType<Accept>(message);
        return control;
    }

    private static async Task SendAsync(ITunnelStream control, ControlMessage message) =>
        await control.Output.WriteRecordAsync(ControlCodec.Encode(message), CancellationToken.None);

    private static async Task AssertAbortedAsync(MigrationRig rig, Task<ReceiveOutcome> receiving)
    {
        ReceiveOutcome outcome = await receiving.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.Equal(ReceiveEnd.Aborted, outcome.End);
        Assert.NotEmpty(outcome.Reason!);
        Assert.Empty(rig.Leftovers());
        Assert.Empty(Directory.EnumerateFileSystemEntries(rig.Target.Environment.State.Containers));
        Assert.Null(rig.TargetCopy);
    }
}
