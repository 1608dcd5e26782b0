using P2PMigrate.Agent.Tests.Faults;

namespace P2PMigrate.Agent.Tests;

/// <summary>The table of faults: each at each boundary of a journal, on each side. <c>tests/faults</c> runs all of it.</summary>
public sealed class FaultTests
{
    public static IEnumerable<TheoryDataRow<string, string>> Cells => FaultTable.Chosen();

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Whatever_breaks_one_copy_runs_in_the_end_and_never_two(string moment, string fault)
    {
        string row = await new FaultCell(Moment.Find(moment), Fault.Find(fault)).RunAsync();
        TestContext.Current.TestOutputHelper!.WriteLine(row);
        FaultTable.Add(row);
    }
}
