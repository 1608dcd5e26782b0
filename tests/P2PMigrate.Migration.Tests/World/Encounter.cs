using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>A source in doubt meets its target again, on a new link, and asks.</summary>
internal static class Encounter
{
    /// <summary>By which name the target knows the source.</summary>
    public const string Peer = "one";

    /// <summary>What the source heard and did; throws what it throws.</summary>
    public static async Task<RecoveredJob?> AskAsync(MigrationRig rig, JobId job, string peer = Peer)
    {
        rig.Reconnect();
        InMemorySession near = rig.Near;
        Task answering = AnswerAsync(rig, peer);
        try
        {
            return await new DoubtInquiry(rig.Source.Environment).AskAsync(near, job, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        }
        finally
        {
            await near.CloseAsync(0, "asked");
            await answering.WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    /// <summary>What a program does that receives, and is asked.</summary>
    public static async Task AnswerAsync(MigrationRig rig, string peer = Peer)
    {
        InMemorySession far = rig.Far;
        var runner = new TargetRunner(rig.Target.Environment);
        await using ITunnelStream stream = await far.AcceptStreamAsync();
        TargetQuestion question = await runner.ReadQuestionAsync(stream, peer, CancellationToken.None);
        Assert.Equal(QuestionSubject.Fate, question.Subject);
        await question.AnswerAsync(CancellationToken.None);
        await runner.TakeLateAsync(far, question.Job, peer, CancellationToken.None);
        await far.CloseAsync(0, "answered");
    }
}
