using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Fuzz.Targets;

namespace P2PMigrate.Fuzz.Tests;

/// <summary>Everything that reads bytes of a peer, with what fuzzing found worth keeping and a short round of new inputs.</summary>
public sealed class CorpusTests
{
    private const int Mutations = 1_000;

    static CorpusTests() => ThrowingListener.Install();

    public static TheoryData<string> Names => [.. AllTargets.List.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_input_of_the_corpus_is_read_or_refused(string name)
    {
        FuzzTarget target = AllTargets.Get(name);
        foreach (byte[] input in target.Inputs())
            Run(target, input);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Changed_inputs_are_read_or_refused_too(string name)
    {
        FuzzTarget target = AllTargets.Get(name);
        byte[][] inputs = [.. target.Inputs()];
        var mutator = new Mutator(seed: 1);
        for (int i = 0; i < Mutations; i++)
            Run(target, mutator.Mutate(inputs[i % inputs.Length], inputs[mutator.Pick(inputs.Length)], target.MaxLength));
    }

    [Fact]
    public void A_mutation_stays_within_the_length_of_its_target()
    {
        var mutator = new Mutator(seed: 2);
        for (int i = 0; i < 1_000; i++)
            Assert.InRange(mutator.Mutate(new byte[50], new byte[70], maxLength: 60).Length, 0, 60);
    }

    private static void Run(FuzzTarget target, byte[] input)
    {
        try
        {
            target.Run(input);
        }
        catch (Exception fault)
        {
            Assert.Fail($"{target.Name} fails on {Convert.ToHexStringLower(input)}: {fault}");
        }
    }
}
