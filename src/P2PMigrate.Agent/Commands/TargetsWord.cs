using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary>What came of asking a target. Either it was heard, and <paramref name="Job"/> is what that ended or did not; or it could not be asked, and <paramref name="Reason"/> says why; or neither: another program of this machine has ended the doubt.</summary>
internal sealed record TargetHeard(RecoveredJob? Job, string? Reason = null)
{
    /// <summary>Has the target's word ended the doubt, or was it tried?</summary>
    public bool EndsDoubt => Job is { Action: not (RecoveryAction.InDoubt or RecoveryAction.Asked) };

    /// <summary>Could it be that the target says more a moment later? Not where it knows nothing, or a person there must decide.</summary>
    public bool MayChange => Reason is not null || Job is { Action: RecoveryAction.Asked };
}

/// <summary>Asks a target what became of a job that is in doubt here.</summary>
// spec: MIG-194
internal sealed class TargetsWord(MigrationEnvironment environment, TunnelEndpoint endpoint)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>A dial may wait for a program that is gone; the next one finds that which was started in its place. A slow path needs longer, and gets it by and by.</summary>
    private static readonly TimeSpan s_firstAttempt = TimeSpan.FromSeconds(5), s_longAttempt = TimeSpan.FromSeconds(20);

    private readonly DoubtInquiry _inquiry = new(environment);

    /// <summary>Asks for <see cref="DoubtInquiry.Patience"/>, with an endpoint of its own, and says so.</summary>
    public static async Task<TargetHeard> AskAsync(CommandContext context, MigrationEnvironment environment, OpenDoubt doubt, CancellationToken cancellationToken)
    {
        try
        {
            await using PeerConnection peer = await PeerConnection.OpenAsync(
                context, rendezvous: null, listen: null, options => options with { MapPortOnGateway = false, Parameters = options.Parameters with { IdleTimeout = PeerConnection.MigrationSilence } }, cancellationToken).ConfigureAwait(false);
            return await new TargetsWord(environment, peer.Endpoint).AskAsync(doubt, DoubtInquiry.Patience, context.Output, cancellationToken).ConfigureAwait(false);
        }
        catch (TunnelException closed)
        {
            return new TargetHeard(null, closed.Message);
        }
    }

    /// <summary>The same with the endpoint that there is, for so long. A user who has interrupted waits for nothing. What the target lacks it is given meanwhile, however long that takes.</summary>
    // spec: MIG-105
    public async Task<TargetHeard> AskAsync(OpenDoubt doubt, TimeSpan patience, IOutput output, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return new TargetHeard(null, "It was interrupted.");
        output.Show(new TargetAsked(doubt.JobId.ToString(), doubt.Container, patience == Timeout.InfiniteTimeSpan ? null : patience.TotalSeconds) { LacksMemory = doubt.IsLacking });
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(patience);
        var heard = new TargetHeard(null, "It was not reached.");
        try
        {
            for (TimeSpan attempt = s_firstAttempt; ; attempt = attempt < s_longAttempt ? attempt * 2 : s_longAttempt)
            {
                TargetHeard last = await AskOnceAsync(doubt, attempt, time.Token, cancellationToken).ConfigureAwait(false);
                heard = last.Reason is null || heard.Job is null ? last : heard; // what was said once is worth more than that it is silent now
                if (!heard.MayChange)
                    return heard;
                await Task.Delay(s_pause, time.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            return heard;
        }
    }

    /// <summary>Asks once, patiently.</summary>
    public Task<TargetHeard> AskOnceAsync(OpenDoubt doubt, CancellationToken cancellationToken) => AskOnceAsync(doubt, s_longAttempt, cancellationToken, cancellationToken);

    private async Task<TargetHeard> AskOnceAsync(OpenDoubt doubt, TimeSpan limit, CancellationToken cancellationToken, CancellationToken giving)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        attempt.CancelAfter(limit);
        try
        {
            TunnelSession session = await endpoint.DialAsync(doubt.Target.Key, doubt.Target.Rendezvous, doubt.Target.Addresses, attempt.Token).ConfigureAwait(false);
            await using (session.ConfigureAwait(false))
                return new TargetHeard(await _inquiry.AskAsync(session, doubt.JobId, attempt.Token, giving).ConfigureAwait(false));
        }
        catch (Exception unreachable) when (unreachable is TunnelException or MigrationException)
        {
            return new TargetHeard(null, unreachable.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new TargetHeard(null, $"It did not answer within {limit.TotalSeconds:0} s.");
        }
    }
}
