using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>One thing that a tunnel does or goes through; gives figures by name.</summary>
internal interface IBehaviour
{
    string Name { get; }

    Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken);
}

/// <summary>Everything that plans can name.</summary>
internal static class BehaviourList
{
    private static readonly Dictionary<string, IBehaviour> s_all = new IBehaviour[]
    {
        new TwoFlows(), new BesideCubic(), new IdleSession(), new IdleAgent(), new PacedTransfer(), new RequestsDuringBulk(), new ShrinkingMtu(),
        new ReboundNat(isBeforeReceiver: false), new ReboundNat(isBeforeReceiver: true), new UplinkSwitch(isReceiver: false), new UplinkSwitch(isReceiver: true),
    }.ToDictionary(behaviour => behaviour.Name);

    public static IBehaviour Find(string name) => s_all.TryGetValue(name, out IBehaviour? behaviour)
        ? behaviour
        : throw new LabException($"there is no behaviour `{name}`: {string.Join(", ", s_all.Keys)}");
}
