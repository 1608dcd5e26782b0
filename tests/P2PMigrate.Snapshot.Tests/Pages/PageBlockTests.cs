using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Pages;

public sealed class PageBlockTests
{
    private readonly byte[] _block = new byte[PageBlock.MaxLength];
    private readonly byte[] _pages = new byte[PageBlock.MaxContentLength];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pages_come_back_whichever_of_them_are_zero(bool compress)
    {
        Random random = new(7);
        for (int round = 0; round < 200; round++)
        {
            byte[] pages = RandomPages(random, random.Next(1, 65));
            AssertComesBack(pages, PageBlock.Encode(pages, _block, compress));
        }
    }

    // spec: SNAP-70
    [Fact]
    public void Pages_of_zeros_cost_a_bit_each()
    {
        byte[] zeros = new byte[PageBlock.MaxContentLength];
        Assert.Equal(PageBlock.HeaderSize, PageBlock.Encode(zeros, _block));
        _pages.AsSpan().Fill(1);
        AssertComesBack(zeros, PageBlock.HeaderSize);
    }

    [Fact]
    public void No_block_is_longer_than_its_bound()
    {
        byte[] noise = new byte[PageBlock.MaxContentLength];
        new Random(8).NextBytes(noise);
        Assert.Equal(PageBlock.MaxLength, PageBlock.Encode(noise, _block));
        AssertComesBack(noise, PageBlock.MaxLength);
    }

    [Fact]
    public void The_header_tells_how_long_the_block_is()
    {
        int length = PageBlock.Encode(Samples.Pages, _block);
        Assert.True(PageBlock.TryReadHeader(_block.AsSpan(0, PageBlock.HeaderSize), out PageBlockHeader header, out string? reason), reason);
        Assert.Equal((3, length, 0b001UL), (header.Pages, header.Length, header.Zeros));
    }

    // spec: SNAP-71
    [Theory]
    [InlineData(0, 0)]     // no page
    [InlineData(0, 65)]    // too many
    [InlineData(2, 1)]     // reserved bytes
    [InlineData(8, 0xFF)]  // zero bits behind the last page
    [InlineData(7, 0x40)]  // payload longer than the pages
    public void Headers_out_of_bounds_are_refused(int offset, byte value)
    {
        PageBlock.Encode(Samples.Pages, _block);
        _block[offset] = value;
        Assert.False(PageBlock.TryReadHeader(_block, out _, out string? reason));
        Assert.Contains("bounds", reason, StringComparison.Ordinal);
    }

    // spec: SNAP-72
    [Fact]
    public void A_changed_payload_is_noticed()
    {
        int length = PageBlock.Encode(Samples.Pages, _block, compress: false);
        _block[length - 1] ^= 1;
        Assert.False(PageBlock.TryDecode(_block.AsSpan(0, length), _pages, out _, out string? reason));
        Assert.Contains("checksum", reason, StringComparison.Ordinal);
    }

    private void AssertComesBack(byte[] pages, int length)
    {
        Assert.True(PageBlock.TryDecode(_block.AsSpan(0, length), _pages, out PageBlockHeader header, out string? reason), reason);
        Assert.Equal(length, header.Length);
        Assert.Equal(pages.Length, header.ContentLength);
        Assert.Equal(pages, _pages.AsSpan(0, pages.Length));
    }

    private static byte[] RandomPages(Random random, int count)
    {
        byte[] pages = new byte[count * PageRun.PageSize];
        for (int index = 0; index < count; index++)
        {
            Span<byte> page = pages.AsSpan(index * PageRun.PageSize, PageRun.PageSize);
            if (random.Next(3) == 0)
                random.NextBytes(page);
            else if (random.Next(2) == 0)
                page.Fill((byte)random.Next(256));
        }

        return pages;
    }
}
